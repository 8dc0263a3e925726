/* SPDX-License-Identifier: MPL-2.0 */
/* What a turn does once it is committed. */
#include "node/turn_state.h"

#include <assert.h>
#include <stdlib.h>

void turn_note (turn_t *self, action_t action)
{
    assert (self);
    if (self->action_count == self->action_capacity) {
        size_t capacity = self->action_capacity == 0 ? 64 : 2 * self->action_capacity;
        action_t *actions = realloc (self->actions, capacity * sizeof *actions);
        if (actions == NULL)
            abort (); /* a turn can't be half done */
        self->actions = actions;
        self->action_capacity = capacity;
    }
    assert (self->action_count < self->action_capacity);
    self->actions[self->action_count++] = action;
}

void turn_forget (turn_t *self)
{
    assert (self);
    effects_clear (&self->effects);
    mesh_outputs_clear (&self->outputs);
    self->outputs_done = 0;
    self->action_count = 0;
}

/* The link key of a member, from the roster in force. */
static const pubkey_t *s_curve (const turn_t *self, const pubkey_t *peer)
{
    const members_t *members = node_members (self->node);
    int index = members == NULL ? -1 : members_find (members, peer);
    return index < 0 ? NULL : &members->members[index].curve;
}

static void s_send (turn_t *self, const pubkey_t *peer, const uint8_t *body, size_t size,
                    const uint8_t seal[SEAL_BYTES])
{
    const pubkey_t *curve = s_curve (self, peer);
    if (curve != NULL)
        self->ports.send (self->ports.context, curve, body, size, seal);
}

/* The link that an output means: named by its key, or by whose it is. */
static const pubkey_t *s_link (const turn_t *self, const mesh_output_t *output)
{
    return pubkey_is_zero (&output->curve) ? s_curve (self, &output->peer) : &output->curve;
}

static void s_act_output (turn_t *self, const mesh_output_t *output)
{
    const pubkey_t *curve = s_link (self, output);
    const ports_t *ports = &self->ports;
    const buffer_t *body = &output->bytes;
    unsigned kind = output->kind; /* the others were dealt with before the commit */
    switch (kind) {
    case MESH_CONNECT: ports->connect (ports->context, output); break;
    case MESH_DISCONNECT:
        if (curve != NULL)
            ports->disconnect (ports->context, curve);
        break;
    case MESH_SEND:
        if (curve != NULL)
            ports->send (ports->context, curve, body->data, body->size, output->seal);
        break;
    case MESH_REPLY:
        ports->reply (ports->context, &output->curve, body->data, body->size, output->seal);
        break;
    case MESH_PUBLISH: ports->publish (ports->context, body->data, body->size, output->seal); break;
    default: assert (false);
    }
}

static void s_act_effect (turn_t *self, const effect_t *effect)
{
    const ports_t *ports = &self->ports;
    unsigned kind = effect->kind;
    switch (kind) {
    case EFFECT_PUBLISH:
        ports->publish (ports->context, effect->as.publish.body.data, effect->as.publish.body.size,
                        effect->as.publish.seal.data);
        break;
    case EFFECT_SEND:
        s_send (self, &effect->as.send.peer, effect->as.send.body.data, effect->as.send.body.size,
                effect->as.send.seal.data);
        break;
    case EFFECT_SEND_BACK:
        ports->reply (ports->context, &effect->as.send_back.curve, effect->as.send_back.body.data,
                      effect->as.send_back.body.size, effect->as.send_back.seal.data);
        break;
    case EFFECT_NOTIFY: ports->notify (ports->context, &effect->as.notify); break;
    case EFFECT_REPLY: ports->answer (ports->context, &effect->as.reply); break;
    default: /* all jobs */
        assert (kind >= EFFECT_PROPOSE && kind <= EFFECT_RESTORE);
        ports->job (ports->context, effect);
        break;
    }
}

void turn_act (turn_t *self)
{
    assert (self && self->error == 0); /* it is committed */
    for (size_t i = 0; i < self->action_count; i++) {
        const action_t *action = &self->actions[i];
        assert (action->kind != ACTION_EFFECT || action->index < self->effects.count);
        assert (action->kind != ACTION_OUTPUT || action->index < self->outputs.count);
        switch (action->kind) {
        case ACTION_EFFECT: s_act_effect (self, &self->effects.items[action->index]); break;
        case ACTION_OUTPUT: s_act_output (self, &self->outputs.items[action->index]); break;
        case ACTION_STANDING:
            self->ports.set_standing (self->ports.context, &action->curve, action->standing);
            break;
        }
    }
}
