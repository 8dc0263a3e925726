/* SPDX-License-Identifier: MPL-2.0 */
/* Operations: effects whose result comes back as an event. */
#include "node/node_say.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint64_t operate (node_t *self, effect_kind_t kind, void *fields, owner_t owner, size_t index)
{
    assert (fields && effect_record (kind) && !effect_persists (kind));
    assert (owner == OWNER_NODE || index != NONE);
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++) {
        operation_t *operation = &self->operations[i];
        if (operation->id)
            continue;
        *operation = (operation_t){.id = ++self->operation, .kind = kind, .owner = owner, .index = index};
        memcpy (fields, &operation->id, sizeof operation->id); /* `operation` stands first in each of them */
        record_encode (effect_record (kind), fields, &operation->effect);
        assert (!operation->effect.failed);
        effects_add (self->out, kind, fields);
        return operation->id;
    }
    return 0;
}

static void s_operation_free (operation_t *operation)
{
    assert (operation->id != 0);
    buffer_clear (&operation->effect);
    memset (operation, 0, sizeof *operation);
}

bool operated (node_t *self, uint64_t id, effect_kind_t kind, owner_t *owner, size_t *index)
{
    assert (self && owner && index);
    for (size_t i = 0; id && i < LIMIT_OPERATIONS; i++) {
        operation_t *operation = &self->operations[i];
        if (operation->id != id || operation->kind != kind)
            continue;
        *owner = operation->owner;
        *index = operation->index;
        s_operation_free (operation);
        return true;
    }
    return false;
}

void operate_cancel (node_t *self, uint64_t id)
{
    assert (self);
    for (size_t i = 0; id && i < LIMIT_OPERATIONS; i++)
        if (self->operations[i].id == id) {
            cancel_t cancel = {id};
            effects_add (self->out, EFFECT_CANCEL, &cancel);
            s_operation_free (&self->operations[i]);
        }
}

void operate_drop (node_t *self, owner_t owner, size_t index)
{
    assert (self);
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        if (self->operations[i].id && self->operations[i].owner == owner &&
            self->operations[i].index == index)
            operate_cancel (self, self->operations[i].id);
}

void operate_again (node_t *self)
{
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++) {
        const operation_t *operation = &self->operations[i];
        if (!operation->id)
            continue;
        const record_t *record = effect_record (operation->kind);
        void *fields = calloc (1, record->size);
        arena_t arena = {0};
        assert (fields);
        int rc = record_decode (record, operation->effect.data, operation->effect.size, fields, &arena, NULL);
        assert (rc == 0);
        (void)rc;
        effects_add (self->out, operation->kind, fields);
        arena_clear (&arena);
        free (fields);
    }
}
