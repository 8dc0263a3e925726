/* SPDX-License-Identifier: MPL-2.0 */
/* The control socket: how the command line (and any program of the operator's) talks to a running node. A ROUTER on the ipc
 * socket `control` below the data directory, mode 0600: who can open it is the operator.
 *
 * A client is a DEALER; each message is one frame of JSON (UTF-8).
 *
 *   request  {"command": "rollback",              what is wanted
 *             "arguments": {"id": "…"},           optional; values are texts (numbers and bools are taken as their text)
 *             "content": "…base64…",              optional: bytes that go with it (import: the packed package)
 *             "contents": ["…base64…", …]}        optional: import: the package's files, which are put in the store first
 *   reply    {"ok": true, "result": …}  or  {"ok": false, "error": "what was wrong and what to do"}
 *
 * Answered by the shell:
 *   status   result: {"id", "name", "group", "group_name", "agent", "epoch", "members", "peers_up", "paused", "stopped",
 *            "finished", "release", "learning_rate", "success_rate", "breaker", "slots", "slots_busy", "proposed", "applied",
 *            "rolled_back", "packages_sent", "packages_received", "packages_adopted", "validations_done", "evaluations",
 *            "duplicates", "candidates", "front", "held", "equivocations", "outbox", "uptime_ms",
 *            "objectives": [{"name", "goal": "minimize"|"maximize", "unit", "weight", "noisy", "start": value|null,
 *                            "now": value|null}…],
 *            "hypervolume": {"value": number|null, "points", "reference": {objective: value…}} (of the front; the reference is
 *            for each objective the worse of the start's value and of its limit),
 *            "under_way": {state: count…}, "rejected": {reason: count…}, "refused": {error name: count…},
 *            "proposers": [{"name", "running", "fruitless" (in a row that gave nothing new), "exhausted": bool (its budget is
 *            spent), "idle": why|null (it has nothing more to propose for now)}…],
 *            "next_steps": ["1 HELD: approve with …"…], "listening": [{"rpc", "pub"}…], "out": text|null (why it takes no part any more),
 *            "problem": text|null, "fault": {"text", "time_ms"}|null (the last one; null if something worked since)}
 *   members  result: {"epoch", "members": [{"id", "name", "role": "admin"|"member", "since_epoch",
 *            "revoked_epoch", "me": bool}…]}   (a revoked member has a revoked_epoch > 0)
 *   peers    result: [{"id", "name", "state": "unknown"|"linking"|"up"|"suspect", "heard_ms_ago": number|null, "rpc",
 *            "learning_rate": number|null, "slots": number|null, "slots_busy": number|null}…]
 *   progress takes {"id": an improvement's}; result: null if it isn't under way, else {"state", "waits_for": "nothing"|"slot"|"run"|
 *            "members"|"turn"|"votes"|"operator"|"merge"|"validators"|"resume"|"breaker", "pairs" (measured), "pairs_most",
 *            "second_trial": bool (it was better in a first, by noisy gains alone), "running": bool,
 *            "feedback": {"asked", "approve", "review", "reject"}|null (nobody was asked yet), "validation": {"asked",
 *            "confirmed", "refuted", "declined", "needed"}|null, "left_ms": number|null (until its state's deadline)}
 *   watch    result: {} at once; then each event as {"event": {"agent_id", "time_ms", "type", "modification_id",
 *            "performance_improvement": number|null, "error_message", "metadata": {key: value…}}}, one message an event
 *            ("modification_id" is "" for none), until the client says nothing for 30 s: it sends
 *            {"command": "heartbeat"} every 10 s. That has no reply, unless the node knows of no such watch: because it was started
 *            anew, or the client was silent, or too slow. Then {"ok": false, "watching": false, "error": …}: watch again.
 *   stop     result: {}; then the node ends cleanly. What else is asked meanwhile is refused.
 * Every other command goes to the node's core as a COMMAND event, and its REPLY is the answer:
 *            result: {"text": what to tell the user, "value": what was made (a token, an id), "" for none}.
 *   propose  takes {"directory": absolute path, …}: the shell reads the evolve files there, refusing what a candidate may not
 *            hold, puts them in the store and gives the core their encoded tree as the content.
 * Ids are base32, as digest_text writes them. */
#ifndef EVOMESH_NODE_IO_CONTROL_H
#define EVOMESH_NODE_IO_CONTROL_H

#include <czmq.h>

#include "node/event.h"

#define CONTROL_SOCKET        "control"
#define CONTROL_MESSAGE_BYTES (96 * 1024 * 1024) /* a longer request ends its connection */
#define CONTROL_CALLERS_MAX \
    64 /* requests that wait for an answer, and watchers; beyond, a request is refused as busy */
#define CONTROL_HEARTBEAT_MS 10000
#define CONTROL_SILENCE_MS   30000

/* --- the node's side --- */
typedef struct control control_t;

/* A request, parsed. All borrowed for the call. `caller` is for control_reply, which must be called once. */
typedef struct {
    uint64_t caller;
    const char *command;
    entry_t arguments[LIMIT_METADATA];
    size_t argument_count;
    bytes_t content;
    const bytes_t *contents;
    size_t content_count;
} control_request_t;
typedef void (control_request_fn) (void *context, const control_request_t *request);

/* Binds `directory`/control (its length is no matter). The directory's lock must be held: binding takes the path from
 * whoever had it. NULL with the problem. */
control_t *control_new (const char *directory, problem_t *problem);
void control_destroy (control_t **self_p); /* removes the socket */

/* The raw ZeroMQ socket, for the loop. */
void *control_socket (control_t *self);

/* Reads at most `max` requests and hands each to `request`; what is no request is answered with an error here. Returns how
 * many messages were read. */
size_t control_drain (control_t *self, size_t max, uint64_t now_ms, control_request_fn *request,
                      void *context);

/* Answers: `result` is JSON text. A caller that is gone is no error. */
void control_reply (control_t *self, uint64_t caller, const char *result);
void control_fail (control_t *self, uint64_t caller, const char *error);

/* Answers and makes the caller a watcher. */
void control_watch (control_t *self, uint64_t caller, uint64_t now_ms);
/* Sends `message` (JSON text) to every watcher; one that is slow or gone is dropped. */
void control_publish (control_t *self, const char *message, uint64_t now_ms);
/* True if anybody watches. */
bool control_watched (const control_t *self);

/* The text of an argument, or an empty one. */
text_t control_argument (const control_request_t *request, const char *key);

/* --- the client's side --- */
typedef struct control_client control_client_t;

/* A link to the node of `directory`. NULL with the problem: no such directory, or no node runs there (nothing listens). */
control_client_t *control_client_new (const char *directory, problem_t *problem);
void control_client_destroy (control_client_t **self_p);

/* Sends a request (JSON text, as above). 0 or -1 with the problem. */
int control_client_send (control_client_t *self, const char *request, problem_t *problem);
/* The next message as malloc'ed JSON text; NULL with the problem after `timeout_ms` or on a signal (then the problem's text
 * is empty). */
char *control_client_receive (control_client_t *self, uint64_t timeout_ms, problem_t *problem);

#endif
