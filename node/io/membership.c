/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/membership.h"

#include <stdlib.h>
#include <string.h>

#define SETTING "membership"

RECORD_TABLE (membership_hint, MEMBERSHIP_HINT_FIELDS);
RECORD_TABLE (membership_record, MEMBERSHIP_RECORD_FIELDS);

int membership_save (store_t *store, const membership_record_t *record)
{
    buffer_t bytes = {0};
    record_encode (&membership_record_record, record, &bytes);
    int result = bytes.failed ? ERROR_MEMORY : store_setting_put (store, SETTING, bytes.data, bytes.size);
    buffer_clear (&bytes);
    return result;
}

int membership_load (store_t *store, membership_t *self, problem_t *problem)
{
    memset (self, 0, sizeof *self);
    size_t size;
    self->bytes = store_setting_get (store, SETTING, &size);
    if (self->bytes == NULL) {
        problem_set (problem, "this node is in no group yet: `evomesh group create` founds one, `evomesh group "
                              "join TOKEN` joins one");
        return ERROR_NOT_FOUND;
    }
    int result = record_decode (&membership_record_record, self->bytes, size, &self->record, &self->arena, problem);
    if (result != 0) {
        problem_prefix (problem, "the store's note of the group is damaged");
        membership_clear (self);
    }
    return result;
}

void membership_clear (membership_t *self)
{
    arena_clear (&self->arena);
    free (self->bytes);
    memset (self, 0, sizeof *self);
}
