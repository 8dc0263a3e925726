/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/archivist.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "evolution/improvement.h"
#include "node/io/log.h"
#include "node/records.h"

#define PARENTS_MAX 2

struct archivist {
    const workshop_t *workshop;
    archive_git_t *git;
    uint64_t seen; /* number of the newest candidate row that was looked at */
    size_t left;   /* of a step */
    digest_t start;
    digest_t live;  /* zero: not told yet */
    size_t dropped; /* candidates that it holds, and need not */
    bool is_stuck;  /* nothing can be written to it now */
    bool renewed;   /* it is being made anew: the refs of releases come last */
};

#define ANCESTORS_MAX   10000 /* generations that are looked through for one that is kept */
#define SKIPPED_FOR_ONE 64    /* that many that need nothing take the time of one */
#define DROPPED_MIN     64    /* fewer are no reason to make it anew */

static void s_warn (const digest_t *candidate, const problem_t *problem)
{
    char id[DIGEST_SHORT_BYTES];
    digest_short (candidate, id);
    log_line (LEVEL_WARNING, "archive_failed", "candidate=%s problem=\"%s\"", id, problem->text);
}

static void s_commit (archivist_t *self, const digest_t *candidate, const digest_t *parents,
                      size_t parent_count, const char *message, uint64_t time_ms)
{
    tree_t tree = {0};
    problem_t problem = {{0}};
    if (archive_git_has (self->git, candidate))
        return;
    if (workshop_tree (self->workshop, candidate, &tree, &problem) != 0 ||
        archive_git_commit (self->git, self->workshop->store, candidate, &tree, parents, parent_count,
                            message, time_ms, &problem) != 0)
        s_warn (candidate, &problem);
    tree_clear (&tree);
}

/* "valid: excess_bins 3.9, ns_per_item 120", or "rejected: worse" with what was said of it. */
static void s_message (const workshop_t *shop, const candidate_row_t *row, char message[LIMIT_LONG_TEXT])
{
    if (!row->valid) {
        unsigned reason = row->reason < REASON_COUNT ? (unsigned)row->reason : REASON_NONE;
        snprintf (message, LIMIT_LONG_TEXT, "invalid: %s\n\n%.*s\n", reason_name ((reason_code_t)reason),
                  (int)(row->detail.size < LIMIT_LONG_TEXT - 128 ? row->detail.size : LIMIT_LONG_TEXT - 128),
                  row->detail.size > 0 ? row->detail.data : "");
        return;
    }
    size_t size = (size_t)snprintf (message, LIMIT_LONG_TEXT, "measured:");
    const objectives_t *objectives = &shop->agent->objectives;
    for (size_t i = 0; i < row->metrics.count && i < objectives->count; i++) {
        assert (size < LIMIT_LONG_TEXT);
        size += (size_t)snprintf (message + size, LIMIT_LONG_TEXT - size, "%s %s %g", i > 0 ? "," : "",
                                  objectives->items[i].name, row->metrics.items[i].value);
    }
}

/* A parent that has no row was not measured here: a package that was merged. It is what a peer made; its files may be here. */
static void s_commit_foreign (archivist_t *self, const digest_t *candidate, uint64_t time_ms)
{
    if (!archive_git_has (self->git, candidate) && store_content_has (self->workshop->store, candidate))
        s_commit (self, candidate, NULL, 0, "from a package, not measured here as it was", time_ms);
}

/* The nearest ancestor whose files are kept, by first parents; or where the records end. */
static digest_t s_nearest_kept (const archivist_t *self, digest_t candidate)
{
    for (size_t i = 0; i < ANCESTORS_MAX; i++) {
        size_t size;
        candidate_row_t row;
        arena_t arena = {0};
        uint8_t *bytes = store_record_get (self->workshop->store, TABLE_CANDIDATE, &candidate, &size);
        bool goes_on = bytes != NULL &&
                       record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL) == 0 &&
                       row.dropped && row.parents.count > 0;
        if (goes_on)
            candidate = row.parents.items[0].id;
        arena_clear (&arena);
        free (bytes);
        if (!goes_on)
            break;
    }
    return candidate;
}

/* Commits a candidate, unless that is done, or its files were dropped. True if it took that much time. */
static bool s_take (archivist_t *self, const digest_t *id, const candidate_row_t *row)
{
    char message[LIMIT_LONG_TEXT];
    digest_t parents[PARENTS_MAX];
    size_t count = row->parents.count < PARENTS_MAX ? row->parents.count : PARENTS_MAX;
    bool has = archive_git_has (self->git, id);
    self->dropped += row->dropped && has;
    if (row->dropped || has)
        return false;
    for (size_t i = 0; i < count; i++) {
        parents[i] = s_nearest_kept (self, row->parents.items[i].id);
        s_commit_foreign (self, &parents[i], row->time_ms);
    }
    s_message (self->workshop, row, message);
    s_commit (self, id, parents, count, message, row->time_ms);
    return true;
}

/* What can't be written now is not passed over: its children would be committed without it. Said once until it can be again. */
static bool s_can_write (archivist_t *self)
{
    problem_t problem = {{0}};
    bool was_stuck = self->is_stuck;
    self->is_stuck = archive_git_reserve (self->git, 1 + PARENTS_MAX, &problem) != 0;
    if (self->is_stuck && !was_stuck)
        log_line (LEVEL_WARNING, "archive_failed", "problem=\"%s\"", problem.text);
    return !self->is_stuck;
}

static int s_visit (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes, size_t size)
{
    archivist_t *self = context;
    candidate_row_t row;
    arena_t arena = {0};
    if (self->left == 0 || !s_can_write (self))
        return 1;
    self->seen = number;
    bool took = record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL) == 0 &&
                s_take (self, key, &row);
    if (took || number % SKIPPED_FOR_ONE == 0)
        self->left--;
    arena_clear (&arena);
    return 0;
}

archivist_t *archivist_new (const workshop_t *workshop, const digest_t *start, problem_t *problem)
{
    assert (workshop != NULL && start != NULL);
    archivist_t *self = calloc (1, sizeof *self);
    if (self == NULL) {
        problem_set (problem, "%s", error_text (ERROR_MEMORY));
        return NULL;
    }
    self->workshop = workshop;
    self->start = *start;
    self->git = archive_git_open (workshop->data_directory, problem);
    if (self->git == NULL) {
        free (self);
        return NULL;
    }
    s_commit (self, start, NULL, 0, "what the group started from", 0);
    return self;
}

void archivist_destroy (archivist_t **self_p)
{
    assert (self_p != NULL);
    archivist_t *self = *self_p;
    if (self == NULL)
        return;
    archive_git_close (&self->git);
    free (self);
    *self_p = NULL;
}

/* --- making it anew --- */

static void s_renew (archivist_t *self)
{
    problem_t problem = {{0}};
    log_line (LEVEL_INFO, "archive_renewed", "held=%zu dropped=%zu", archive_git_count (self->git),
              self->dropped);
    archive_git_renew (&self->git, self->workshop->data_directory, &problem);
    self->seen = self->dropped = 0;
    self->renewed = true;
    if (self->git == NULL)
        log_line (LEVEL_WARNING, "archive_failed", "problem=\"%s\"", problem.text);
    else
        s_commit (self, &self->start, NULL, 0, "what the group started from", 0);
}

static void s_release_ref (archivist_t *self, const digest_t *release)
{
    char id[DIGEST_SHORT_BYTES], name[DIGEST_SHORT_BYTES + sizeof "releases/"];
    problem_t problem = {{0}};
    if (!archive_git_has (self->git, release))
        return;
    digest_short (release, id);
    snprintf (name, sizeof name, "releases/%s", id);
    if (archive_git_ref (self->git, name, release, &problem) != 0)
        s_warn (release, &problem);
}

static int s_visit_snapshot (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                             size_t size)
{
    (void)number, (void)key;
    snapshot_row_t row;
    arena_t arena = {0};
    if (record_decode (&snapshot_row_record, bytes, size, &row, &arena, NULL) == 0) {
        s_release_ref (context, &row.release);
        s_release_ref (context, &row.next);
    }
    arena_clear (&arena);
    return 0;
}

/* All that is kept is committed again: now the releases. */
static void s_finish_renewal (archivist_t *self)
{
    self->renewed = false;
    store_record_walk (self->workshop->store, TABLE_SNAPSHOT, 0, false, s_visit_snapshot, self);
    if (!digest_is_zero (&self->live))
        archivist_release (self, &self->live);
}

void archivist_dropped (archivist_t *self, const hash_t *dropped, size_t count)
{
    assert (self != NULL && (dropped != NULL || count == 0));
    for (size_t i = 0; i < count && self->git != NULL; i++)
        self->dropped += archive_git_has (self->git, &dropped[i].id);
}

bool archivist_step (archivist_t *self, size_t max)
{
    assert (self != NULL && max > 0);
    if (self->git == NULL)
        return false; /* it could not be made anew: at the next start */
    self->left = max;
    store_record_walk (self->workshop->store, TABLE_CANDIDATE, self->seen, false, s_visit, self);
    if (self->is_stuck && !archive_git_is_there (self->git)) {
        self->is_stuck = false;
        s_renew (self);
        return true;
    }
    if (self->is_stuck)
        return false; /* it is tried again with the next candidate */
    if (self->left == 0)
        return true;
    if (self->renewed)
        s_finish_renewal (self);
    if (self->dropped < DROPPED_MIN || 2 * self->dropped < archive_git_count (self->git))
        return false;
    s_renew (self);
    return true;
}

void archivist_release (archivist_t *self, const digest_t *release)
{
    assert (self != NULL && release != NULL);
    problem_t problem = {{0}};
    self->live = *release;
    if (self->git == NULL || !archive_git_has (self->git, release))
        return;
    s_release_ref (self, release);
    if (archive_git_ref (self->git, "live", release, &problem) != 0)
        s_warn (release, &problem);
}
