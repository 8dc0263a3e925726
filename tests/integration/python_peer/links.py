# SPDX-License-Identifier: MPL-2.0
"""Sockets of a peer, from docs/PROTOCOL.md alone: a ROUTER and a PUB bound behind a ZAP handler, a DEALER and a SUB for each peer."""
import zmq

FRAME_BYTES_MAX = 262144
HANDSHAKE_MS = 1000  # so often a link that was refused with 300 is tried again


class Links:
    """`judge (domain, key)` gives the ZAP status of a link key. `receive (key, body, seal)` gets what arrives: key None for
    publications, body None for frames that are no statement."""

    def __init__(self, secret, public, topic, judge, receive):
        self.secret, self.public, self.topic = secret, public, topic
        self.judge, self.receive = judge, receive
        self.context = zmq.Context()
        self.poller = zmq.Poller()
        self.sessions = {}  # link key: the routing id under which it spoke last
        self.dealers, self.subs = {}, {}  # link key: socket
        self.zap = self._watch(self.context.socket(zmq.REP))
        self.zap.bind("inproc://zeromq.zap.01")  # before anything else is bound
        self.router = self._bind(zmq.ROUTER, "rpc")
        self.pub = self._bind(zmq.PUB, "pub")
        self._watch(self.router)
        self.address = {"rpc": self._endpoint(self.router), "pub": self._endpoint(self.pub)}

    def _watch(self, socket):
        socket.setsockopt(zmq.LINGER, 0)
        self.poller.register(socket, zmq.POLLIN)
        return socket

    def _bind(self, kind, domain):
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, FRAME_BYTES_MAX)
        socket.curve_server = True
        socket.curve_secretkey, socket.curve_publickey = self.secret, self.public
        socket.zap_domain = domain.encode()
        socket.bind("tcp://127.0.0.1:*")
        return socket

    @staticmethod
    def _endpoint(socket):
        return socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def open(self, kind, server, endpoint, secret=None, public=None):
        """A connected socket under CURVE, not watched; its owner closes it."""
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, FRAME_BYTES_MAX)
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        socket.curve_serverkey = server
        socket.curve_secretkey, socket.curve_publickey = secret or self.secret, public or self.public
        socket.connect(endpoint)
        return socket

    def connect(self, key, address):
        self.disconnect(key)
        self.dealers[key] = self._watch(self.open(zmq.DEALER, key, address["rpc"]))
        self.subs[key] = self._watch(self.open(zmq.SUB, key, address["pub"]))
        self.subs[key].setsockopt(zmq.SUBSCRIBE, self.topic)

    def disconnect(self, key):
        for sockets in (self.dealers, self.subs):
            if key in sockets:
                self.poller.unregister(sockets[key])
                sockets.pop(key).close()

    def send(self, key, *frames):
        """Over our own DEALER. What can't be sent is lost, as on any network."""
        if key in self.dealers:
            try:
                self.dealers[key].send_multipart(frames, zmq.DONTWAIT)
            except zmq.Again:
                pass

    def reply(self, key, *frames):
        """Over the connection on which that key spoke last."""
        if key in self.sessions:
            self.router.send_multipart((self.sessions[key],) + frames, zmq.DONTWAIT)

    def publish(self, statement):
        self.pub.send_multipart((self.topic, statement.body, statement.seal))

    def step(self, timeout_ms):
        """Waits up to so long for something to arrive, and hands all of it on."""
        ready = dict(self.poller.poll(timeout_ms))
        while ready:
            for socket in ready:
                if not socket.closed:
                    self._read(socket)
            ready = dict(self.poller.poll(0))

    def _read(self, socket):
        frames = socket.recv_multipart(copy=False)
        if socket is self.zap:
            self._answer_zap([frame.bytes for frame in frames])
        elif socket is self.router:
            key = bytes.fromhex(frames[1].get("User-Id")) if len(frames) > 1 else None
            if key is not None and self.judge("rpc", key) == 200:
                self.sessions[key] = frames[0].bytes
                self._hand_on(key, frames[1:])
        elif socket in self.subs.values():
            self._hand_on(None, frames[1:] if frames[0].bytes == self.topic else [])
        else:
            self._hand_on(next(key for key, dealer in self.dealers.items() if dealer is socket), frames)

    def _hand_on(self, key, frames):
        if len(frames) == 2 and 0 < len(frames[0]) <= 131072 and len(frames[1]) == 96:
            self.receive(key, frames[0].bytes, frames[1].bytes)
        else:
            self.receive(key, None, None)

    def _answer_zap(self, request):
        version, id, domain, _, _, mechanism = request[:6]
        status = self.judge(domain.decode(), request[6]) if mechanism == b"CURVE" and len(request) == 7 else 400
        user = request[6].hex().encode() if status == 200 else b""
        self.zap.send_multipart((version, id, str(status).encode(), b"", user, b""))

    def close(self):
        self.context.destroy(linger=0)
