# SPDX-License-Identifier: MPL-2.0
"""A local endpoint that speaks the chat completions protocol, and can misbehave in every way that endpoints do.

`replies` says what the next requests get, one each; the last one stands for all that follow. A reply is a function of the
request's handler and its body.
"""
import email.utils
import http.server
import json
import threading
import time


def completion (text, usage=(1000, 100), finish="stop", status=200):
    """An answer as endpoints give it."""
    def reply (handler, body):
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": body["model"],
                  "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
                               "finish_reason": finish}]}
        if usage:
            answer["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1],
                               "total_tokens": min (sum (usage), 2**63 - 1)}
        handler.answer (status, json.dumps (answer).encode ())
    return reply


def refusal (status, message, **headers):
    def reply (handler, body):
        handler.answer (status, json.dumps ({"error": {"message": message, "type": "error"}}).encode (), headers)
    return reply


def raw (data, status=200, **headers):
    return lambda handler, body: handler.answer (status, data, headers)


def later (seconds):
    """Too many requests; come back at a date."""
    return lambda handler, body: refusal (429, "slow down", **{
        "Retry-After": email.utils.formatdate (time.time () + seconds, usegmt=True)}) (handler, body)


def stall (handler, body):
    """Says nothing until the other side has gone, or the test is over."""
    handler.server.over.wait (120)
    handler.close_connection = True


def truncated (handler, body):
    """Promises more than it sends."""
    handler.send_response (200)
    handler.send_header ("Content-Type", "application/json")
    handler.send_header ("Content-Length", "5000")
    handler.end_headers ()
    handler.wfile.write (b'{"choices": [{"message": {"content": "a.c')
    handler.close_connection = True


def flood (megabytes):
    """One long text."""
    def reply (handler, body):
        handler.send_response (200)
        handler.end_headers ()
        handler.wfile.write (b'{"choices": [{"message": {"content": "')
        for _ in range (megabytes):
            handler.wfile.write (b"x" * 1000000)
            handler.server.flooded += 1
        handler.close_connection = True
    return reply


class Handler (http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST (self):
        body = json.loads (self.rfile.read (int (self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append ({"path": self.path, "headers": dict (self.headers), "body": body})
            reply = self.server.replies[0]
            if len (self.server.replies) > 1:
                self.server.replies.pop (0)
        try:
            reply (self, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer (self, status, data, headers=None):
        self.send_response (status)
        self.send_header ("Content-Type", "application/json")
        self.send_header ("Content-Length", str (len (data)))
        for name, value in (headers or {}).items ():
            self.send_header (name, value)
        self.end_headers ()
        self.wfile.write (data)

    def log_message (self, *arguments):
        pass


class Endpoint (http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__ (self, *replies):
        super ().__init__ (("127.0.0.1", 0), Handler)
        self.replies, self.requests, self.flooded = list (replies), [], 0
        self.lock, self.over = threading.Lock (), threading.Event ()
        threading.Thread (target=self.serve_forever, daemon=True).start ()

    @property
    def url (self):
        return "http://127.0.0.1:%d/v1" % self.server_address[1]

    def prompts (self, i=-1):
        """All that a request said."""
        return "\n".join (message["content"] for message in self.requests[i]["body"]["messages"])

    def __enter__ (self):
        return self

    def __exit__ (self, *_):
        self.over.set ()
        self.shutdown ()
        self.server_close ()
