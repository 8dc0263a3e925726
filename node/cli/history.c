/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/history.h"

#include <assert.h>
#include <stdlib.h>

/* Takes an improvement's record in. False if it isn't there, as retention drops the records of those that were refused. */
static bool s_take_improvement (store_t *store, const digest_t *id, history_t *self)
{
    improvement_row_t row;
    arena_t arena = {0};
    uint8_t *bytes = session_record_try (store, TABLE_IMPROVEMENT, &improvement_row_record, id, &row, &arena);
    bool there = bytes != NULL;
    if (there)
        self->improvement = *id;
    if (there && (self->kind == TABLE_IMPROVEMENT || digest_equal (&row.candidate, &self->id))) {
        self->before = digest_is_zero (&row.base) ? row.parent : row.base;
        self->after = row.candidate;
    }
    arena_clear (&arena);
    free (bytes);
    return there;
}

/* Of a candidate without a record of its own, the improvement that proposed it last. */
static int s_visit_improvement (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                                size_t size)
{
    (void)number;
    history_t *self = context;
    improvement_row_t row;
    arena_t arena = {0};
    bool found = record_decode (&improvement_row_record, bytes, size, &row, &arena, NULL) == 0 &&
                 digest_equal (&row.candidate, &self->id);
    if (found)
        self->improvement = *key;
    arena_clear (&arena);
    return found ? 1 : 0;
}

static int s_find_candidate (store_t *store, history_t *self)
{
    assert (self->kind == TABLE_CANDIDATE);
    candidate_row_t row;
    arena_t arena = {0};
    digest_t improvement = {{0}};
    uint8_t *bytes =
        session_record_try (store, TABLE_CANDIDATE, &candidate_row_record, &self->id, &row, &arena);
    self->after = self->id;
    if (bytes != NULL) {
        improvement = row.improvement;
        if (row.parents.count > 0)
            self->before = row.parents.items[0].id;
    } else if (store_record_walk (store, TABLE_IMPROVEMENT, 0, true, s_visit_improvement, self) < 0) {
        free (bytes);
        return cli_fail ("the store can't be read: %s", store_problem (store));
    } else
        improvement = self->improvement;
    arena_clear (&arena);
    free (bytes);
    if (!digest_is_zero (&improvement))
        s_take_improvement (store, &improvement, self);
    return CLI_DONE;
}

static int s_find_snapshot (store_t *store, history_t *self)
{
    assert (self->kind == TABLE_SNAPSHOT);
    snapshot_row_t row;
    uint8_t *bytes;
    arena_t arena = {0};
    if (session_record (store, TABLE_SNAPSHOT, &snapshot_row_record, &self->id, &row, &bytes, &arena) !=
        CLI_DONE)
        return CLI_FAILED;
    s_take_improvement (store, &row.improvement, self);
    self->before = row.release;
    self->after = row.next;
    arena_clear (&arena);
    free (bytes);
    return CLI_DONE;
}

int history_find (store_t *store, const char *text, history_t *found)
{
    static const table_t tables[] = {TABLE_IMPROVEMENT, TABLE_CANDIDATE, TABLE_SNAPSHOT};
    assert (store != NULL && text != NULL && found != NULL);
    *found = (history_t){.kind = TABLE_IMPROVEMENT};
    int rc = session_find (store, tables, 3, text, &found->kind, &found->id);
    if (rc != CLI_DONE)
        return rc;
    if (found->kind == TABLE_CANDIDATE)
        return s_find_candidate (store, found);
    if (found->kind == TABLE_SNAPSHOT)
        return s_find_snapshot (store, found);
    return s_take_improvement (store, &found->id, found)
               ? CLI_DONE
               : cli_fail ("the record of improvement %s can't be read", text);
}
