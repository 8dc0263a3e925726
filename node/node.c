/* SPDX-License-Identifier: MPL-2.0 */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

node_t *node_new (const identity_t *identity)
{
    assert (identity);
    node_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->identity = *identity;
    breaker_init (&self->breaker, true, 5, 300000);
    return self;
}

void node_destroy (node_t **self_p)
{
    assert (self_p);
    node_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        improve_clear (&self->improvements[i]);
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        buffer_clear (&self->operations[i].effect);
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++) {
        buffer_clear (&self->parcels[i].base_tree);
        buffer_clear (&self->parcels[i].candidate_tree);
    }
    for (size_t i = 0; i < LIMIT_OUTBOX; i++)
        buffer_clear (&self->outbox[i].packed);
    for (size_t i = 0; i < self->applied_count; i++)
        buffer_clear (&self->applied[i].row);
    for (size_t i = 0; i < self->shared_count; i++)
        free (self->shared[i].adopters);
    free (self->shared);
    free (self->applied);
    free (self->tried);
    free (self->peers);
    archive_destroy (&self->archive);
    if (self->members)
        members_clear (self->members);
    free (self->members);
    group_clear (&self->group);
    buffer_clear (&self->live_tree);
    identity_wipe (&self->identity);
    free (self);
    *self_p = NULL;
}

/* --- statements --- */

static void s_peer_event (node_t *self, const message_t *message, const pubkey_t *author)
{
    const event_message_t *event = &message->as.event_message;
    notify_t notify = {.agent_id = *author,
                       .time_ms = message->head.time_ms,
                       .type = event->type,
                       .modification_id = event->modification_id,
                       .performance_improvement = event->performance_improvement,
                       .error_message = event->error_message,
                       .metadata = {event->metadata.items, event->metadata.count}};
    effects_add (self->out, EFFECT_NOTIFY, &notify);
}

/* The publication number of a message, 0 if it has none. */
static uint64_t s_publication_of (const message_t *message)
{
    switch (message->head.kind) {
    case MESSAGE_EVENT: return message->as.event_message.publication;
    case MESSAGE_KNOWLEDGE: return message->as.knowledge.publication;
    case MESSAGE_ROSTER: return message->as.roster.publication;
    default: return 0;
    }
}

/* After a new roster, what was said by it counts: see s_counts. */
static void s_roster (node_t *self, bytes_t packed)
{
    uint64_t epoch = self->members->epoch;
    on_roster (self, packed);
    if (self->members->epoch > epoch)
        review_ask_again (self);
}

static void s_dispatch (node_t *self, const message_t *message, const pubkey_t *author,
                        const received_t *event, const digest_t *id, bytes_t packed)
{
    static const digest_t none;
    switch (message->head.kind) {
    case MESSAGE_ROSTER: s_roster (self, packed); break;
    case MESSAGE_EVENT: s_peer_event (self, message, author); break;
    case MESSAGE_KNOWLEDGE: on_knowledge (self, author, &message->as.knowledge.package, &none); break;
    case MESSAGE_FEEDBACK_REQUEST: on_feedback_request (self, message, author, id); break;
    case MESSAGE_FEEDBACK: on_feedback (self, message, author, packed); break;
    case MESSAGE_VALIDATION_REQUEST: on_validation_request (self, message, author, id); break;
    case MESSAGE_VALIDATION_ACCEPTED:
    case MESSAGE_VALIDATION_DECLINED:
    case MESSAGE_VALIDATION_RESULT: on_validation_reply (self, message, author, packed); break;
    case MESSAGE_KNOWLEDGE_TRANSFER:
        on_knowledge (self, author, &message->as.knowledge_transfer.package,
                      &message->as.knowledge_transfer.transfer);
        break;
    case MESSAGE_TRANSFER_RESULT: on_transfer_result (self, message, author); break;
    case MESSAGE_JOIN_REQUEST: on_join_request (self, message, author, &event->curve, id); break;
    case MESSAGE_ACK: say_acknowledged (self, author, &message->as.ack.statement); break;
    case MESSAGE_LEAVE: on_leave (self, author); break;
    default: break; /* the mesh's own */
    }
}

/* True for what its author sends until we say that it is on our disk. */
static bool s_wants_acknowledgement (unsigned kind)
{
    return kind == MESSAGE_VALIDATION_RESULT || kind == MESSAGE_KNOWLEDGE_TRANSFER ||
           kind == MESSAGE_TRANSFER_RESULT || kind == MESSAGE_LEAVE;
}

/* What may stand in a certificate must be by a member of the epoch that it names, and our roster, which goes into the
 * certificate, must say so. Else one voter with an epoch of its own invention would spoil every package. What names a roster
 * that is still on its way to us is not acknowledged: a result comes again, for FEEDBACK we ask again. */
static bool s_counts (const node_t *self, const message_t *message, const pubkey_t *author)
{
    unsigned kind = message->head.kind;
    return (kind != MESSAGE_FEEDBACK && kind != MESSAGE_VALIDATION_RESULT) ||
           package_member_at (self->members, message->head.epoch, author);
}

static void s_received (node_t *self, const received_t *event)
{
    message_t message = {0};
    if (event->seal.size != SEAL_BYTES || message_decode (event->body.data, event->body.size, &message, NULL))
        return;
    pubkey_t author = statement_author (event->seal.data);
    digest_t id = statement_id (event->body.data, event->body.size, event->seal.data);
    bool member = members_has (self->members, &author);
    bool joins = message.head.kind == MESSAGE_JOIN_REQUEST;
    if ((member && s_counts (self, &message, &author)) || joins) {
        buffer_t packed = {0};
        statement_pack (event->body.data, event->body.size, event->seal.data, &packed);
        known_peer_t *peer = member ? peer_of (self, &author) : NULL;
        /* Over a link comes the roster that a HELLO shows: out of its turn, so what lies before it is still to be pulled. */
        bool published = pubkey_is_zero (&event->curve);
        uint64_t publication = published ? s_publication_of (&message) : 0;
        if (peer && publication > peer->publication)
            peer->publication = publication;
        if (s_wants_acknowledgement (message.head.kind)) {
            /* On disk first: it is in the journal with this very event, in the same transaction. */
            say_acknowledge (self, &author, &id);
        }
        s_dispatch (self, &message, &author, event, &id, bytes_of (packed.data, packed.size));
        buffer_clear (&packed);
    }
    message_clear (&message);
}

/* --- the step --- */

static void s_loaded (node_t *self, const loaded_t *event)
{
    owner_t owner;
    size_t index;
    if (operated (self, event->operation, EFFECT_LOAD, &owner, &index))
        rollback_loaded (self, index, event);
}

static void s_fetched (node_t *self, const fetched_t *event)
{
    owner_t owner;
    size_t index;
    if (!operated (self, event->operation, EFFECT_FETCH_CONTENT, &owner, &index))
        return;
    if (owner == OWNER_JOB)
        serve_fetched (self, index, event);
    else
        knowledge_fetched (self, index, event);
}

static void s_peer_lost (node_t *self, const peer_lost_t *event)
{
    known_peer_t *peer = peer_of (self, &event->peer);
    if (!peer || !peer->up)
        return;
    peer->up = false;
    char member[DIGEST_SHORT_BYTES];
    pubkey_short (&event->peer, member);
    entry_t metadata = {text_of ("member"), text_of (member)};
    say_event (self, TYPE_PEER_LOST, NULL, NAN, NULL, &metadata, 1);
    validate_peer_lost (self);
}

int node_step (node_t *self, const event_t *event, effects_t *effects)
{
    assert (self && event);
    if (event->kind != EVENT_STARTED && !self->started)
        return ERROR_INPUT;
    assert (event->now_ms >= self->now_ms);
    self->now_ms = event->now_ms;
    self->wall_ms = event->wall_ms;
    self->out = effects;
    int rc = 0;
    switch (event->kind) {
    case EVENT_STARTED: rc = on_started (self, &event->as.started); break;
    case EVENT_RECEIVED: s_received (self, &event->as.received); break;
    case EVENT_PEER_UP: on_peer_up (self, &event->as.peer_up); break;
    case EVENT_PEER_LOST: s_peer_lost (self, &event->as.peer_lost); break;
    case EVENT_TICK: break;
    case EVENT_PROPOSED: on_proposed (self, &event->as.proposed); break;
    case EVENT_EVALUATED: on_evaluated (self, &event->as.evaluated); break;
    case EVENT_MERGED: on_merged (self, &event->as.merged); break;
    case EVENT_LOADED: s_loaded (self, &event->as.loaded); break;
    case EVENT_SNAPSHOT_TAKEN: on_snapshot_taken (self, &event->as.snapshot_taken); break;
    case EVENT_APPLIED: on_applied (self, &event->as.applied_event); break;
    case EVENT_RESTORED: on_restored (self, &event->as.restored); break;
    case EVENT_FETCHED: s_fetched (self, &event->as.fetched); break;
    case EVENT_EQUIVOCATED: on_equivocated (self, &event->as.equivocated); break;
    case EVENT_COMMAND: on_command (self, &event->as.command); break;
    }
    if (!rc) {
        serve_tick (self);
        group_tick (self);
        say_outbox_tick (self);
        improve_advance (self);
        retain_check (self);
    }
    self->out = NULL;
    return rc;
}

uint64_t node_deadline_ms (const node_t *self)
{
    assert (self);
    if (!self->started)
        return UINT64_MAX;
    const uint64_t deadlines[] = {improve_deadline_ms (self),
                                  say_outbox_deadline_ms (self),
                                  serve_deadline_ms (self),
                                  group_deadline_ms (self),
                                  knowledge_deadline_ms (self),
                                  propose_deadline_ms (self),
                                  self->baseline_known || self->baseline_running ? UINT64_MAX
                                                                                 : self->baseline_retry_ms};
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++)
        if (deadlines[i] < deadline_ms)
            deadline_ms = deadlines[i];
    return deadline_ms;
}
