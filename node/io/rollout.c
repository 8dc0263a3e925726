/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/rollout.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/io/log.h"
#include "node/io/service.h"

struct releases {
    const workshop_t *workshop;
    job_done_fn *done;
    void *context;
    service_t *service; /* the restart under way */
    event_kind_t kind;  /* what it ends with */
    uint64_t operation;
};

releases_t *releases_new (const workshop_t *workshop, job_done_fn *done, void *context)
{
    assert (workshop != NULL);
    releases_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->workshop = workshop;
    self->done = done;
    self->context = context;
    return self;
}

void releases_destroy (releases_t **self_p)
{
    assert (self_p != NULL);
    releases_t *self = *self_p;
    if (self == NULL)
        return;
    service_destroy (&self->service);
    free (self);
    *self_p = NULL;
}

/* SNAPSHOT_TAKEN, APPLIED and RESTORED have the same fields, but are three types. */
static void s_tell (releases_t *self, event_kind_t kind, uint64_t operation, switch_end_t result,
                    const char *why)
{
    char detail[LIMIT_TEXT + 1];
    text_t text = text_clean (text_of (why), detail, sizeof detail);
    event_t event = {.kind = kind};
    if (kind == EVENT_SNAPSHOT_TAKEN)
        event.as.snapshot_taken = (snapshot_taken_t){operation, (uint64_t)result, text};
    else if (kind == EVENT_APPLIED)
        event.as.applied_event = (applied_event_t){operation, (uint64_t)result, text};
    else {
        assert (kind == EVENT_RESTORED);
        event.as.restored = (restored_t){operation, (uint64_t)result, text};
    }
    self->done (self->context, &event);
}

/* Writes a release that isn't there yet. */
static int s_write (const workshop_t *shop, const digest_t *release, problem_t *problem)
{
    tree_t tree = {0}, whole = {0};
    int rc = workshop_tree (shop, release, &tree, problem);
    if (rc == 0)
        rc = workshop_whole (shop, &tree, &whole, problem);
    if (rc == 0)
        rc = workspace_release_write (shop->store, shop->data_directory, release, &whole, problem);
    tree_clear (&tree);
    tree_clear (&whole);
    return rc;
}

void releases_abandon (releases_t *self)
{
    assert (self != NULL);
    service_destroy (&self->service);
}

static bool s_is_live (const workshop_t *shop, const digest_t *release)
{
    digest_t current;
    return workspace_release_current (shop->data_directory, &current) == 0 &&
           digest_equal (&current, release);
}

int releases_ensure (const workshop_t *workshop, const digest_t *release, bool *switched, problem_t *problem)
{
    assert (workshop != NULL && release != NULL && switched != NULL);
    *switched = false;
    if (s_is_live (workshop, release))
        return 0;
    if (s_write (workshop, release, problem) != 0 ||
        workspace_release_switch (workshop->data_directory, release, problem) != 0)
        return -1;
    *switched = true;
    return 0;
}

void releases_snapshot (releases_t *self, const snapshot_t *effect)
{
    assert (self != NULL && effect != NULL);
    problem_t problem = {{0}};
    int rc = s_write (self->workshop, &effect->release, &problem);
    s_tell (self, EVENT_SNAPSHOT_TAKEN, effect->operation, rc == 0 ? SWITCH_DONE : SWITCH_FAILED,
            problem.text);
}

/* Old releases go once the service is at work on the new one. That one can't be removed harms nothing: it is tried again. */
static void s_trim (const workshop_t *shop)
{
    problem_t problem = {{0}};
    uint64_t keep = shop->config->retention.releases;
    if (keep > 0 && workspace_release_trim (shop->data_directory, (size_t)keep, &problem) != 0)
        log_line (LEVEL_WARNING, "release_kept", "problem=\"%s\"", problem.text);
}

static void s_restarted (void *context, const char *why)
{
    releases_t *self = context;
    self->service = NULL;
    if (why == NULL)
        s_trim (self->workshop);
    s_tell (self, self->kind, self->operation, why == NULL ? SWITCH_DONE : SWITCH_UNSETTLED, why);
}

/* Switches and restarts; the event comes when both are done. */
static void s_switch (releases_t *self, event_kind_t kind, uint64_t operation, const digest_t *release)
{
    const workshop_t *shop = self->workshop;
    problem_t problem = {{0}};
    char current[PATH_MAX];
    if (s_write (shop, release, &problem) != 0 ||
        workspace_release_switch (shop->data_directory, release, &problem) != 0) {
        /* A switch that can't be synced is done all the same: the core must know where `current` points. */
        s_tell (self, kind, operation, s_is_live (shop, release) ? SWITCH_UNSETTLED : SWITCH_FAILED,
                problem.text);
        return;
    }
    const char *command = shop->config->service_restart;
    if (command[0] == '\0') {
        s_trim (shop);
        s_tell (self, kind, operation, SWITCH_DONE, NULL);
        return;
    }
    service_destroy (&self->service); /* a newer switch makes an older restart pointless */
    snprintf (current, sizeof current, "%s/current", shop->data_directory);
    self->kind = kind;
    self->operation = operation;
    self->service = service_start (shop->loop, command, current, shop->config->service_timeout_ms,
                                   s_restarted, self, &problem);
    if (self->service == NULL)
        s_tell (self, kind, operation, SWITCH_UNSETTLED, problem.text);
}

void releases_apply (releases_t *self, const apply_t *effect)
{
    assert (self != NULL && effect != NULL);
    digest_t current;
    if (workspace_release_current (self->workshop->data_directory, &current) == 0 &&
        !digest_equal (&current, &effect->from) && !digest_equal (&current, &effect->release)) {
        char found[DIGEST_SHORT_BYTES];
        problem_t problem;
        digest_short (&current, found);
        problem_set (&problem, "the live release is %s by now", found);
        s_tell (self, EVENT_APPLIED, effect->operation, SWITCH_FAILED, problem.text);
        return;
    }
    s_switch (self, EVENT_APPLIED, effect->operation, &effect->release);
}

void releases_restore (releases_t *self, const restore_t *effect)
{
    assert (self != NULL && effect != NULL);
    s_switch (self, EVENT_RESTORED, effect->operation, &effect->release);
}
