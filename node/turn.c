/* SPDX-License-Identifier: MPL-2.0 */
#include "node/turn_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

turn_t *turn_new (const identity_t *identity, const ports_t *ports)
{
    assert (identity && ports);
    turn_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->identity = identity;
    self->ports = *ports;
    self->is_failed = true; /* until turn_recover */
    self->checkpoint_interval_entries = LIMIT_CHECKPOINT_ENTRIES;
    self->journal_kept_entries = self->events_kept = UINT64_MAX;
    self->fetcher = fetcher_new (&self->ports, turn_fetched, self);
    if (self->fetcher == NULL)
        turn_destroy (&self);
    return self;
}

/* --- the queue of inputs --- */

static input_t *s_append (turn_t *self)
{
    if (self->input_count == self->input_capacity) {
        size_t capacity = self->input_capacity == 0 ? 64 : 2 * self->input_capacity;
        input_t *inputs = realloc (self->inputs, capacity * sizeof *inputs);
        if (inputs == NULL)
            return NULL;
        self->inputs = inputs;
        self->input_capacity = capacity;
    }
    assert (self->input_count < self->input_capacity);
    input_t *input = &self->inputs[self->input_count++];
    memset (input, 0, sizeof *input);
    return input;
}

void turn_drop_inputs (turn_t *self, size_t count)
{
    assert (self && count <= self->input_count);
    for (size_t i = 0; i < count; i++)
        free (self->inputs[i].bytes);
    self->input_count -= count;
    if (self->input_count > 0)
        memmove (self->inputs, self->inputs + count, self->input_count * sizeof *self->inputs);
    self->input_first = 0;
    if (self->input_count == 0)
        self->received = 0;
}

void turn_destroy (turn_t **self_p)
{
    assert (self_p);
    turn_t *self = *self_p;
    if (self == NULL)
        return;
    turn_forget (self);
    turn_drop_inputs (self, self->input_count);
    fetcher_destroy (&self->fetcher);
    mesh_destroy (&self->mesh);
    node_destroy (&self->node);
    free (self->inputs);
    free (self->actions);
    free (self);
    *self_p = NULL;
}

void turn_receive (turn_t *self, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                   const uint8_t *seal, size_t seal_size)
{
    assert (self);
    if (self->is_failed || self->received == TURN_RECEIVED_MAX)
        return;
    uint8_t *bytes = NULL;
    if (body != NULL && (bytes = malloc (body_size + 1)) == NULL)
        return;
    input_t *input = s_append (self);
    if (input == NULL) {
        free (bytes);
        return;
    }
    if (body != NULL)
        memcpy (bytes, body, body_size);
    input->bytes = bytes;
    input->size = body_size;
    input->has_curve = curve != NULL;
    if (curve != NULL)
        input->curve = *curve;
    input->seal_size = seal_size;
    if (seal != NULL)
        memcpy (input->seal, seal, seal_size < SEAL_BYTES ? seal_size : SEAL_BYTES);
    self->received++;
}

void turn_queue (turn_t *self, const event_t *event)
{
    assert (self && event);
    buffer_t bytes = {0};
    event_encode (event, &bytes);
    input_t *input = bytes.failed ? NULL : s_append (self);
    if (input == NULL)
        abort (); /* the core waits for it for ever */
    input->is_event = true;
    input->bytes = bytes.data;
    input->size = bytes.size;
}

/* Tells a caller that its command was not done. */
static void s_refuse_command (turn_t *self, const command_t *command)
{
    reply_t reply = {.operation = command->operation,
                     .failed = 1,
                     .text = text_of ("the node's store failed, so nothing was done; see `evomesh status`")};
    self->ports.answer (self->ports.context, &reply);
}

void turn_event (turn_t *self, const event_t *event)
{
    assert (self && event);
    if (!self->is_failed)
        turn_queue (self, event);
    else if (event->kind == EVENT_COMMAND)
        s_refuse_command (self, &event->as.command);
}

/* Of all inputs, those of the failed turn too: nobody waits for an answer in vain. */
static void s_refuse_commands (turn_t *self)
{
    for (size_t i = 0; i < self->input_count; i++) {
        event_t event;
        arena_t arena = {0};
        if (self->inputs[i].is_event &&
            event_decode (self->inputs[i].bytes, self->inputs[i].size, &event, &arena) == 0 &&
            event.kind == EVENT_COMMAND)
            s_refuse_command (self, &event.as.command);
        arena_clear (&arena);
    }
}

void turn_fetched (void *context, const fetched_t *fields)
{
    event_t event = {.kind = EVENT_FETCHED};
    event.as.fetched = *fields;
    turn_queue (context, &event);
}

uint64_t turn_last_now_ms (const turn_t *self)
{
    assert (self);
    return self->last_now_ms;
}

uint64_t turn_last_wall_ms (const turn_t *self)
{
    assert (self);
    return self->last_wall_ms;
}

/* --- the turn --- */

void turn_fail (turn_t *self, int error)
{
    assert (self);
    assert (error != 0);
    if (self->error == 0)
        self->error = error;
}

static void s_set_clock (turn_t *self, uint64_t now_ms, uint64_t wall_ms)
{
    assert (now_ms >= self->last_now_ms);
    self->last_now_ms = self->now_ms = now_ms;
    self->last_wall_ms = self->wall_ms = wall_ms;
}

/* Commits what the turn wrote, then does what it wants done; or neither. */
static int s_finish (turn_t *self)
{
    const ports_t *ports = &self->ports;
    if (self->error == 0) {
        int result = ports->commit (ports->context);
        if (result != 0)
            turn_fail (self, result);
    }
    if (self->error == 0) {
        turn_act (self);
        turn_drop_inputs (self, self->input_first);
    } else {
        ports->rollback (ports->context);
        ports->log (ports->context, TURN_LOG_ERROR, "turn_failed", error_text (self->error));
        self->is_failed = true;
        s_refuse_commands (self);
        turn_drop_inputs (self, self->input_count);
    }
    turn_forget (self);
    assert (self->is_failed == (self->error != 0));
    return self->error;
}

static void s_take_event (turn_t *self, const input_t *input)
{
    event_t event;
    arena_t arena = {0};
    int result = event_decode (input->bytes, input->size, &event, &arena);
    assert (result == 0); /* we encoded it */
    turn_step (self, &event);
    arena_clear (&arena);
}

/* Takes the oldest input in. It is kept until the turn is over: if that fails, a command is answered. */
static void s_take_input (turn_t *self)
{
    assert (self->input_first < self->input_count);
    input_t input = self->inputs[self->input_first++];
    if (input.is_event)
        s_take_event (self, &input);
    else {
        assert (self->received > 0);
        self->received--;
        mesh_receive (self->mesh, input.has_curve ? &input.curve : NULL, input.bytes, input.size, input.seal,
                      input.seal_size, self->now_ms, self->wall_ms, &self->outputs);
    }
    turn_settle (self);
}

static void s_let_time_pass (turn_t *self)
{
    if (self->error == 0 && mesh_deadline_ms (self->mesh) <= self->now_ms) {
        mesh_tick (self->mesh, self->now_ms, self->wall_ms, &self->outputs);
        turn_settle (self);
    }
    if (self->error == 0 && node_deadline_ms (self->node) <= self->now_ms) {
        event_t event = {.kind = EVENT_TICK};
        turn_step (self, &event);
        turn_settle (self);
    }
}

int turn_run (turn_t *self, uint64_t now_ms, uint64_t wall_ms)
{
    if (self->is_failed)
        return self->error != 0 ? self->error : ERROR_IO;
    assert (self->mesh != NULL);
    s_set_clock (self, now_ms, wall_ms);
    int result = self->ports.begin (self->ports.context);
    if (result != 0)
        turn_fail (self, result);
    turn_settle (self); /* what metrics, hints and goodbyes left */
    for (size_t steps = 0;
         steps < TURN_STEPS_MAX && self->error == 0 && self->input_first < self->input_count; steps++)
        s_take_input (self);
    s_let_time_pass (self);
    return s_finish (self);
}

int turn_start (turn_t *self, const started_t *started, const group_t *group, const mesh_self_t *about,
                const uint8_t entropy[SEED_BYTES], uint64_t now_ms, uint64_t wall_ms)
{
    assert (self && started && group && about);
    assert (!self->is_failed && self->mesh == NULL);
    self->mesh = mesh_new (self->identity, group, about, entropy);
    if (self->mesh == NULL)
        return ERROR_MEMORY;
    s_set_clock (self, now_ms, wall_ms);
    int result = self->ports.begin (self->ports.context);
    if (result != 0)
        turn_fail (self, result);
    event_t event = {.kind = EVENT_STARTED};
    event.as.started = *started;
    if (self->error == 0 && (result = turn_step (self, &event)) != 0)
        turn_fail (self, result);
    if (self->error == 0) {
        const members_t *members = node_members (self->node);
        for (size_t i = 0; i < members->count; i++)
            mesh_set_publication (self->mesh, &members->members[i].id,
                                  node_publication (self->node, &members->members[i].id));
        turn_settle (self);
    }
    return s_finish (self);
}

uint64_t turn_deadline_ms (const turn_t *self)
{
    assert (self);
    if (self->is_failed || self->mesh == NULL)
        return UINT64_MAX;
    if (self->input_first < self->input_count || self->outputs.count > 0)
        return 0;
    uint64_t node_ms = node_deadline_ms (self->node), mesh_ms = mesh_deadline_ms (self->mesh);
    return node_ms < mesh_ms ? node_ms : mesh_ms;
}

bool turn_failed (const turn_t *self)
{
    assert (self);
    return self->is_failed;
}

/* --- what goes straight to the mesh; its outputs wait for the next turn --- */

void turn_hint (turn_t *self, const pubkey_t *peer, const char *rpc, const char *pub, uint64_t now_ms)
{
    assert (self && peer && (self->is_failed || self->mesh != NULL));
    if (!self->is_failed)
        mesh_hint (self->mesh, peer, rpc, pub, now_ms, &self->outputs);
}

void turn_metrics (turn_t *self, const metrics_message_t *metrics, uint64_t wall_ms)
{
    assert (self && metrics && (self->is_failed || self->mesh != NULL));
    if (!self->is_failed)
        mesh_publish_metrics (self->mesh, metrics, wall_ms, &self->outputs);
}

void turn_leave (turn_t *self, uint64_t now_ms, uint64_t wall_ms)
{
    assert (self && (self->is_failed || self->mesh != NULL));
    if (!self->is_failed)
        mesh_leave (self->mesh, now_ms, wall_ms, &self->outputs);
}

const node_t *turn_node (const turn_t *self)
{
    assert (self);
    return self->node;
}

const mesh_t *turn_mesh (const turn_t *self)
{
    assert (self);
    return self->mesh;
}
