/* SPDX-License-Identifier: MPL-2.0 */
/* An archive of two objectives, `a` to be small and `b` to be large, and candidates by number. */
#ifndef EVOMESH_TESTS_ARCHIVE_FIXTURE_H
#define EVOMESH_TESTS_ARCHIVE_FIXTURE_H

#include "evolution/archive_state.h"
#include "tests/lib/objectives.h"
#include "tests/lib/suite.h"

static inline objectives_t archive_objectives (void)
{
    objectives_t objectives = {.count = 0};
    objectives_put (&objectives, "a", GOAL_MINIMIZE, false);
    objectives_put (&objectives, "b", GOAL_MAXIMIZE, false);
    return objectives;
}

static inline archive_t *archive_fixture (void)
{
    objectives_t objectives = archive_objectives ();
    archive_t *archive = archive_new (&objectives);
    ck_assert_ptr_nonnull (archive);
    return archive;
}

static inline digest_t candidate_id (size_t number)
{
    return digest_of (&number, sizeof number);
}

/* Adds candidate `number` to an island, a child of `parent`, unless that is itself; NULL metrics: it isn't valid. */
static inline int archive_put (archive_t *archive, size_t island, size_t number, size_t parent,
                               const metrics_t *metrics)
{
    archive_candidate_t candidate = {.id = candidate_id (number),
                                     .parents = {candidate_id (parent)},
                                     .parent_count = number == parent ? 0 : 1,
                                     .island = island,
                                     .valid = metrics != NULL,
                                     .metrics = metrics};
    return archive_add (archive, &candidate);
}

static inline void archive_put_everywhere (archive_t *archive, size_t number, size_t parent, double a,
                                           double b)
{
    metrics_t metrics = metrics_two (a, b);
    ck_assert_int_eq (archive_put (archive, ARCHIVE_EVERYWHERE, number, parent, &metrics), 0);
}

static inline const archive_entry_t *archive_candidate (const archive_t *archive, size_t number)
{
    digest_t id = candidate_id (number);
    const archive_entry_t *entry = archive_find (archive, &id);
    ck_assert_ptr_nonnull (entry);
    return entry;
}

/* In order of adding. */
static inline const archive_entry_t *archive_at (const archive_t *archive, size_t index)
{
    ck_assert_uint_lt (index, archive->count);
    return &archive->entries[index];
}

#endif
