/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/join_link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/clock.h"

#define ANSWER_TIMEOUT_MS 10000
#define LEAVE_TIMEOUT_MS  3000
#define FETCH_TRIES       3

int join_link_open (join_link_t *self, const own_t *own, const invite_t *invite)
{
    assert (self != NULL && own != NULL && invite != NULL);
    uint64_t below = membership_live_seq (own->store);
    *self =
        (join_link_t){.own = own, .invite = invite, .seq = below | 1, .seq_end = below + JOIN_SEQ_RESERVED};
    if (membership_save_live_seq (own->store, self->seq_end) != 0)
        return cli_fail ("the store can't be written: %s", store_problem (own->store));
    return CLI_DONE;
}

void join_link_close (join_link_t *self)
{
    assert (self != NULL);
    if (self->client != NULL)
        bus_client_destroy (&self->client);
}

/* --- one question, one answer --- */

/* Which request a message answers; NULL for one that answers none. */
static const digest_t *s_answers (const message_t *message)
{
    switch (message->head.kind) {
    case MESSAGE_MEMBERSHIP: return &message->as.membership.request;
    case MESSAGE_CHUNK: return &message->as.chunk.request;
    case MESSAGE_REFUSED: return &message->as.refused.request;
    case MESSAGE_ACK: return &message->as.ack.statement;
    default: return NULL;
    }
}

/* True if the statement is the issuer's answer to `request`; then `answer` holds it. */
static bool s_is_answer (const join_link_t *self, const uint8_t *body, size_t size,
                         const uint8_t seal[SEAL_BYTES], const digest_t *request, message_t *answer)
{
    pubkey_t author = statement_author (seal);
    if (!pubkey_equal (&author, &self->invite->issuer) || !statement_verify (body, size, seal) ||
        message_decode (body, size, answer, NULL) != 0)
        return false;
    const pubkey_t *to = message_to (answer);
    const digest_t *answers = s_answers (answer);
    if (to != NULL && pubkey_equal (to, &keystore_identity (self->own->keys)->id) && answers != NULL &&
        digest_equal (answers, request) && digest_equal (&answer->head.group, &self->invite->group))
        return true;
    message_clear (answer);
    return false;
}

/* Sends a message and waits for its answer, leaving out whatever else comes. 0 with `answer` and its `*bytes`, or an error. */
static int s_ask (join_link_t *self, unsigned kind, const void *fields, uint64_t timeout_ms,
                  message_t *answer, uint8_t **bytes)
{
    assert (self->client != NULL && self->seq % 2 == 1); /* live numbers are odd */
    assert (self->seq + 2 < self->seq_end);
    head_t head = {.kind = kind,
                   .group = self->invite->group,
                   .epoch = self->epoch,
                   .seq = self->seq,
                   .time_ms = clock_wall_ms ()};
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    self->seq += 2;
    message_seal (keystore_identity (self->own->keys), &head, fields, &body, seal);
    assert (!body.failed);
    digest_t request = statement_id (body.data, body.size, seal);
    uint64_t now_ms = clock_mono_ms (), end_ms = now_ms + timeout_ms;
    const uint8_t *saying = body.data;
    int rc = ERROR_TIMEOUT;
    for (; now_ms < end_ms; now_ms = clock_mono_ms ()) {
        uint8_t answer_seal[SEAL_BYTES];
        size_t size = 0;
        *bytes = NULL;
        rc = bus_client_ask (self->client, saying, body.size, seal, end_ms - now_ms, bytes, &size,
                             answer_seal);
        saying = NULL; /* said once; from now on only wait */
        if (rc == 0 && s_is_answer (self, *bytes, size, answer_seal, &request, answer))
            break;
        free (*bytes);
        *bytes = NULL;
        if (rc != 0 && rc != ERROR_MALFORMED)
            break;
        rc = ERROR_TIMEOUT;
    }
    buffer_clear (&body);
    return rc;
}

/* --- joining --- */

static int s_connect (join_link_t *self, const curve_t *curve, size_t address)
{
    problem_t problem;
    char rpc[LIMIT_ENDPOINT + 1];
    assert (address < self->invite->addresses.count);
    join_link_close (self);
    self->address = address;
    if (!text_copy (self->invite->addresses.items[address].rpc, rpc, sizeof rpc))
        return cli_fail ("the token holds an address that is too long");
    self->client = bus_client_new (curve, &self->invite->server, rpc, &problem);
    return self->client == NULL ? cli_fail ("%s: %s", rpc, problem.text) : CLI_DONE;
}

/* Why an address gave no answer in time. */
static int s_told_silent (const join_link_t *self, text_t at)
{
    static const char *const reasons[] = {
        [BUS_REACH_NOWHERE] =
            "can't be reached: does the node of the invite run, and can this machine reach it?",
        [BUS_REACH_HOST] =
            "takes connections, but the node there does not speak: is it stopped, or very busy? The "
            "token is as good as before",
        [BUS_REACH_NODE] =
            "took the token, but did not answer: is the node stopped, or very busy? Join again: a "
            "second try with the same keys is free",
    };
    return cli_fail ("%.*s %s (waited %d s)", (int)at.size, at.data, reasons[bus_client_reach (self->client)],
                     ANSWER_TIMEOUT_MS / 1000);
}

/* Why an address gave no MEMBERSHIP. */
static int s_told_refused (const join_link_t *self, int rc, const message_t *answer)
{
    text_t at = self->invite->addresses.items[self->address].rpc;
    if (rc == ERROR_TIMEOUT)
        return s_told_silent (self, at);
    if (rc == ERROR_DENIED)
        return cli_fail ("%.*s does not know this token: it was used up, has expired, or was taken back; ask "
                         "for a new one",
                         (int)at.size, at.data);
    if (rc != 0)
        return cli_fail ("%.*s: %s", (int)at.size, at.data, error_text (rc));
    if (answer->head.kind == MESSAGE_REFUSED && answer->as.refused.code == (uint64_t)-ERROR_REVOKED)
        return cli_fail (
            "this node left the group before, or was revoked, and a member's keys count once; make a "
            "new node with `evomesh init` in another directory, and join with that");
    text_t why =
        answer->head.kind == MESSAGE_REFUSED ? answer->as.refused.text : text_of ("an answer that is none");
    return cli_fail ("the group did not let this node in: %.*s", (int)why.size, why.data);
}

int join_link_request (join_link_t *self, message_t *answer, uint8_t **body)
{
    assert (self != NULL && answer != NULL);
    curve_t invited;
    curve_from_seed (self->invite->seed.bytes, &invited);
    join_request_t fields = {.to = self->invite->issuer,
                             .invite = invited.public_key,
                             .curve = keystore_curve (self->own->keys)->public_key,
                             .name = text_of (self->own->config->name)};
    int result = CLI_FAILED;
    bool answered = false;
    for (size_t i = 0; i < self->invite->addresses.count && !answered; i++) {
        if (s_connect (self, &invited, i) != CLI_DONE)
            continue;
        int rc = s_ask (self, MESSAGE_JOIN_REQUEST, &fields, ANSWER_TIMEOUT_MS, answer, body);
        answered = rc == 0;
        if (rc == 0 && answer->head.kind == MESSAGE_MEMBERSHIP)
            result = CLI_DONE;
        else
            s_told_refused (self, rc, answer);
    }
    if (answered && result != CLI_DONE) {
        message_clear (answer);
        free (*body);
        *body = NULL;
    }
    curve_wipe (&invited);
    return result;
}

int join_link_enter (join_link_t *self, uint64_t epoch)
{
    assert (self != NULL);
    self->epoch = epoch;
    return s_connect (self, keystore_curve (self->own->keys), self->address);
}

/* --- fetching --- */

/* The chunk at content.size is added to `content`. 0, or an error with the problem. */
static int s_chunk (join_link_t *self, const digest_t *id, size_t bound, buffer_t *content, uint64_t *total,
                    problem_t *problem)
{
    fetch_t fields = {.to = self->invite->issuer, .content = *id, .offset = content->size};
    message_t answer;
    uint8_t *bytes = NULL;
    int rc = ERROR_TIMEOUT;
    for (int tries = 0; tries < FETCH_TRIES && rc == ERROR_TIMEOUT; tries++)
        rc = s_ask (self, MESSAGE_FETCH, &fields, ANSWER_TIMEOUT_MS, &answer, &bytes);
    if (rc == ERROR_TIMEOUT)
        return problem_set (problem,
                            "the inviting node does not answer any more: is it stopped? Join again with "
                            "the same token: a second try with the same keys is free");
    if (rc != 0)
        return problem_set (problem, "%s", error_text (rc));
    assert (content->size <= bound);
    const chunk_t *chunk = &answer.as.chunk;
    if (answer.head.kind == MESSAGE_REFUSED)
        rc = problem_set (problem, "%.*s", (int)answer.as.refused.text.size, answer.as.refused.text.data);
    else if (answer.head.kind != MESSAGE_CHUNK || !digest_equal (&chunk->content, id) ||
             chunk->offset != content->size || chunk->total > bound ||
             chunk->bytes.size > chunk->total - content->size ||
             (chunk->bytes.size == 0 && chunk->total > content->size))
        rc = problem_set (problem, "an answer that is none, or more than %zu bytes", bound);
    else {
        *total = chunk->total;
        buffer_append (content, chunk->bytes.data, chunk->bytes.size);
    }
    message_clear (&answer);
    free (bytes);
    return rc;
}

int join_link_fetch (join_link_t *self, const digest_t *content, size_t bound)
{
    assert (self != NULL && content != NULL);
    char name[DIGEST_SHORT_BYTES];
    problem_t problem;
    buffer_t bytes = {0};
    uint64_t total = UINT64_MAX;
    digest_short (content, name);
    int rc = 0;
    while (rc == 0 && bytes.size != total)
        rc = s_chunk (self, content, bound, &bytes, &total, &problem);
    digest_t found = digest_of (bytes.data, bytes.size), stored;
    if (rc != 0)
        rc = cli_fail ("content %s can't be fetched: %s", name, problem.text);
    else if (bytes.failed || !digest_equal (&found, content))
        rc = cli_fail ("content %s does not match its hash: the peer is broken, or lies", name);
    else if (store_content_put (self->own->store, bytes.data, bytes.size, &stored) != 0)
        rc = cli_fail ("the store can't be written: %s", store_problem (self->own->store));
    buffer_clear (&bytes);
    return rc;
}

bool join_link_leave (join_link_t *self, const char *reason)
{
    assert (self != NULL);
    leave_t fields = {.to = self->invite->issuer, .reason = text_of (reason)};
    message_t answer;
    uint8_t *bytes = NULL;
    if (self->client == NULL || s_ask (self, MESSAGE_LEAVE, &fields, LEAVE_TIMEOUT_MS, &answer, &bytes) != 0)
        return false;
    bool heard = answer.head.kind == MESSAGE_ACK;
    message_clear (&answer);
    free (bytes);
    return heard;
}
