/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/membership.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

RECORD_TABLE (hint, HINT_FIELDS);
RECORD_TABLE (hints, HINTS_FIELDS);

/* A setting's bytes in a buffer of the caller; size 0 if it isn't there. */
static void s_setting (store_t *store, const char *name, buffer_t *out)
{
    *out = (buffer_t){0};
    size_t size = 0;
    uint8_t *bytes = store_setting_get (store, name, &size);
    if (bytes != NULL)
        buffer_append (out, bytes, size);
    free (bytes);
}

static int s_load_hints (store_t *store, joined_t *self, problem_t *problem)
{
    s_setting (store, MEMBERSHIP_HINTS, &self->hint_bytes);
    if (self->hint_bytes.size == 0)
        return 0;
    return record_decode (&hints_record, self->hint_bytes.data, self->hint_bytes.size, &self->hints,
                          &self->hint_arena, problem);
}

static int s_load_group (store_t *store, joined_t *self, problem_t *problem)
{
    buffer_t charter, roster;
    s_setting (store, MEMBERSHIP_CHARTER, &charter);
    s_setting (store, MEMBERSHIP_ROSTER, &roster);
    int rc = charter.size == 0 ? ERROR_NOT_FOUND : 0;
    if (rc != 0)
        problem_set (problem,
                     "this node is in no group: `evomesh group create NAME` or `evomesh group join TOKEN`");
    else if ((rc = group_open (bytes_of (charter.data, charter.size), &self->group, problem)) != 0)
        problem_prefix (problem, "the stored charter");
    else if ((rc = members_open (bytes_of (roster.data, roster.size), &self->group, self->roster, problem)) !=
             0)
        problem_prefix (problem, "the stored roster");
    buffer_clear (&charter);
    buffer_clear (&roster);
    return rc;
}

static int s_load_self (store_t *store, joined_t *self, problem_t *problem)
{
    buffer_t id;
    s_setting (store, MEMBERSHIP_SELF, &id);
    int rc = id.size == PUBKEY_BYTES ? 0 : ERROR_MALFORMED;
    if (rc == 0)
        memcpy (self->self.bytes, id.data, PUBKEY_BYTES);
    else
        problem_set (problem, "this node's id: found %zu bytes, expected %d", id.size, PUBKEY_BYTES);
    buffer_clear (&id);
    return rc;
}

/* Tells a node that was never in a group from one whose database lost it, and names the file. Returns the error to go on with. */
static int s_explain (store_t *store, int rc, problem_t *problem)
{
    if (store_problem (store)[0] != '\0') {
        problem_set (problem, "%s", store_problem (store));
        return ERROR_IO;
    }
    if (rc == ERROR_NOT_FOUND && store_journal_count (store) == 0)
        return rc;
    problem_t what = *problem;
    if (rc == ERROR_NOT_FOUND)
        problem_set (&what, "it has a journal, but no group");
    store_damaged (store, what.text, problem);
    return rc == ERROR_NOT_FOUND ? ERROR_MALFORMED : rc;
}

int membership_load (store_t *store, joined_t **joined, problem_t *problem)
{
    assert (store != NULL && joined != NULL);
    problem_t why = {""};
    *joined = NULL;
    joined_t *self = calloc (1, sizeof *self);
    if (self == NULL || (self->roster = calloc (1, sizeof *self->roster)) == NULL) {
        free (self);
        problem_set (problem, "%s", error_text (ERROR_MEMORY));
        return ERROR_MEMORY;
    }
    int rc = s_load_group (store, self, &why);
    if (rc == 0)
        rc = s_load_self (store, self, &why);
    if (rc == 0 && (rc = s_load_hints (store, self, &why)) != 0)
        problem_prefix (&why, "the stored addresses");
    if (rc != 0) {
        membership_destroy (&self);
        rc = s_explain (store, rc, &why);
        problem_set (problem, "%s", why.text);
        return rc;
    }
    *joined = self;
    return 0;
}

int membership_check (store_t *store, problem_t *problem)
{
    joined_t *joined;
    int rc = membership_load (store, &joined, problem);
    membership_destroy (&joined);
    return rc == ERROR_NOT_FOUND ? 0 : rc;
}

void membership_destroy (joined_t **self_p)
{
    assert (self_p != NULL);
    joined_t *self = *self_p;
    if (self == NULL)
        return;
    group_clear (&self->group);
    members_clear (self->roster);
    free (self->roster);
    buffer_clear (&self->hint_bytes);
    arena_clear (&self->hint_arena);
    free (self);
    *self_p = NULL;
}

int membership_save_roster (store_t *store, bytes_t roster)
{
    assert (store != NULL);
    return store_setting_put (store, MEMBERSHIP_ROSTER, roster.data, roster.size);
}

int membership_save_hints (store_t *store, const hints_t *hints)
{
    assert (store != NULL && hints != NULL);
    buffer_t bytes = {0};
    record_encode (&hints_record, hints, &bytes);
    int rc =
        bytes.failed ? ERROR_MEMORY : store_setting_put (store, MEMBERSHIP_HINTS, bytes.data, bytes.size);
    buffer_clear (&bytes);
    return rc;
}

static int s_put_all (store_t *store, bytes_t charter, bytes_t roster, const pubkey_t *self,
                      const hints_t *hints)
{
    int rc = store_setting_put (store, MEMBERSHIP_CHARTER, charter.data, charter.size);
    if (rc == 0)
        rc = membership_save_roster (store, roster);
    if (rc == 0)
        rc = store_setting_put (store, MEMBERSHIP_SELF, self->bytes, PUBKEY_BYTES);
    if (rc == 0)
        rc = membership_save_hints (store, hints);
    return rc;
}

int membership_save (store_t *store, bytes_t charter, bytes_t roster, const pubkey_t *self,
                     const hints_t *hints, problem_t *problem)
{
    assert (store != NULL && self != NULL && hints != NULL);
    bool own = !store_in_transaction (store);
    int rc = own ? store_begin (store) : 0;
    if (rc == 0)
        rc = s_put_all (store, charter, roster, self, hints);
    if (rc == 0 && own)
        rc = store_commit (store);
    if (rc != 0) {
        problem_set (problem, "the group could not be stored: %s", store_problem (store));
        if (own)
            store_rollback (store);
    }
    return rc;
}

uint64_t membership_live_seq (store_t *store)
{
    assert (store != NULL);
    uint8_t number[8] = {0};
    size_t size = 0;
    uint8_t *bytes = store_setting_get (store, MEMBERSHIP_LIVE_SEQ, &size);
    if (bytes != NULL && size == sizeof number)
        memcpy (number, bytes, sizeof number);
    free (bytes);
    uint64_t below = 0;
    for (size_t i = 0; i < sizeof number; i++)
        below |= (uint64_t)number[i] << (8 * i);
    return below;
}

int membership_save_live_seq (store_t *store, uint64_t below)
{
    assert (store != NULL);
    uint8_t number[8];
    for (size_t i = 0; i < sizeof number; i++)
        number[i] = (uint8_t)(below >> (8 * i));
    return store_setting_put (store, MEMBERSHIP_LIVE_SEQ, number, sizeof number);
}
