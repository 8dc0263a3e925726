/* SPDX-License-Identifier: MPL-2.0 */
/* A checkpoint's second half: operations, improvements, comparisons, jobs, parcels, and what is remembered of those that ended. */
#include "node/node_image.h"

#include <assert.h>
#include <stdlib.h>

/* The index of a place; NONE too. */
static void s_place (image_t *image, size_t *index, size_t bound)
{
    size_t number = image->loading || *index == NONE ? 0 : *index + 1;
    image_size (image, &number, bound);
    *index = number == 0 ? NONE : number - 1;
}

/* How many places an owner of that kind can have; what the node itself awaits belongs to a proposer, or to none. */
static size_t s_places (owner_t owner)
{
    static const size_t places[] = {[OWNER_NODE] = LIMIT_CAPABILITIES,
                                    [OWNER_IMPROVEMENT] = LIMIT_IMPROVEMENTS,
                                    [OWNER_TRIAL] = LIMIT_TRIALS,
                                    [OWNER_JOB] = LIMIT_VALIDATIONS,
                                    [OWNER_PARCEL] = LIMIT_KNOWLEDGE};
    assert ((size_t)owner < sizeof places / sizeof places[0]);
    return places[owner];
}

/* Who awaits something: kind and place. */
static void s_owner (image_t *image, owner_t *owner, size_t *index)
{
    image_unsigned (image, owner, OWNER_PARCEL);
    s_place (image, index, s_places (*owner));
    image_check (image, *owner == OWNER_NODE || *index != NONE);
}

/* True if those bytes can be read as that record. */
static bool s_readable (const record_t *record, const buffer_t *bytes)
{
    void *fields = record ? calloc (1, record->size) : NULL;
    arena_t arena = {0};
    bool readable = fields && record_decode (record, bytes->data, bytes->size, fields, &arena, NULL) == 0;
    arena_clear (&arena);
    free (fields);
    return readable;
}

static void s_operation (operation_t *self, image_t *image)
{
    image_uint (image, &self->id, 0);
    if (self->id == 0)
        return;
    image_unsigned (image, &self->kind, 0);
    s_owner (image, &self->owner, &self->index);
    image_bytes (image, &self->effect, LIMIT_CONTENT_BYTES);
    if (image->loading)
        image_check (image, s_readable (effect_record (self->kind), &self->effect));
}

static void s_improvement_ids (improvement_t *self, image_t *image)
{
    digest_t *const digests[] = {&self->id,     &self->package,       &self->candidate,
                                 &self->parent, &self->second_parent, &self->merged_from,
                                 &self->tokens, &self->base,          &self->snapshot};
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
        image_digest (image, digests[i]);
    image_key (image, &self->author);
}

static void s_improvement (improvement_t *self, image_t *image)
{
    image_bool (image, &self->used);
    if (!self->used)
        return;
    s_improvement_ids (self, image);
    image_unsigned (image, &self->state, STATE_COUNT - 1);
    image_unsigned (image, &self->origin, ORIGIN_PACKAGE);
    s_place (image, &self->parcel, LIMIT_KNOWLEDGE);
    image_bool (image, &self->certified);
    image_unsigned (image, &self->retests, LIMIT_RETESTS);
    image_size (image, &self->island, ARCHIVE_EVERYWHERE);
    image_bytes (image, &self->tree, LIMIT_PACKAGE_BYTES);
    image_bytes (image, &self->base_tree, LIMIT_PACKAGE_BYTES);
    image_unsigned (image, &self->type, IMPROVE_TYPES - 1);
    image_text (image, self->description, sizeof self->description);
    image_text (image, self->model, sizeof self->model);
    image_uint (image, &self->spent.requests, 0);
    image_uint (image, &self->spent.tokens, 0);
    image_uint (image, &self->spent.cost_millionths, 0);
    image_unsigned (image, &self->reason, REASON_COUNT - 1);
    image_text (image, self->detail, sizeof self->detail);
    image_bool (image, &self->measured);
    trial_result_image (&self->result, image);
    image_bool (image, &self->twice);
    s_place (image, &self->trial, LIMIT_TRIALS);
    image_bool (image, &self->waits);
    request_image (&self->feedback, image);
    consensus_image (&self->consensus, image);
    image_bool (image, &self->reviewed);
    request_image (&self->validation, image);
    image_uint (image, &self->held_until_ms, 0);
    image_bool (image, &self->approved);
    metrics_image (&self->baseline, image);
    image_uint (image, &self->breaker_trial, 0);
    image_bool (image, &self->revived);
    image_uint (image, &self->created_ms, 0);
    image_check (image, self->tree.size > 0);
}

static void s_comparison (comparison_t *self, image_t *image)
{
    image_bool (image, &self->used);
    if (!self->used)
        return;
    trial_image (&self->trial, image);
    s_owner (image, &self->owner, &self->index);
    image_digest (image, &self->candidate);
    image_digest (image, &self->base);
    image_bool (image, &self->foreign);
    image_bool (image, &self->live);
    image_bool (image, &self->again);
    image_unsigned (image, &self->rank, RANK_OWN);
    image_uint (image, &self->order, 0);
    image_uint (image, &self->operation, 0);
    image_unsigned (image, &self->running, TRIAL_DONE);
    image_unsigned (image, &self->reason, REASON_COUNT - 1);
    image_text (image, self->detail, sizeof self->detail);
}

static void s_measurements (node_t *self, image_t *image)
{
    image_size (image, &self->measurement_next, SIZE_MAX);
    for (size_t i = 0; i < MEASUREMENTS; i++) {
        measurement_t *measurement = &self->measurements[i];
        bool kept = measurement->measured || measurement->reason != REASON_NONE;
        image_bool (image, &kept);
        if (!kept)
            continue;
        image_digest (image, &measurement->candidate);
        image_digest (image, &measurement->base);
        image_unsigned (image, &measurement->reason, REASON_COUNT - 1);
        image_bool (image, &measurement->measured);
        trial_result_image (&measurement->result, image);
    }
    image_size (image, &self->unconfirmed_count, UNCONFIRMED);
    for (size_t i = 0; i < self->unconfirmed_count; i++)
        image_digest (image, &self->unconfirmed[i]);
}

/* --- what is remembered --- */

static void s_tried (tried_t *self, image_t *image)
{
    image_digest (image, &self->package);
    image_key (image, &self->author);
    image_bool (image, &self->adopted);
    image_unsigned (image, &self->reason, REASON_COUNT - 1);
    image_digest (image, &self->base);
    image_unsigned (image, &self->tries, 0);
    image_real (image, &self->gain);
}

static void s_shared (shared_t *self, image_t *image)
{
    image_digest (image, &self->package);
    image_uint (image, &self->sent, 0);
    self->adopters =
        image_items (image, self->adopters, &self->adopter_count, LIMIT_MEMBERS, sizeof *self->adopters);
    for (size_t i = 0; i < self->adopter_count; i++)
        image_key (image, &self->adopters[i]);
}

static void s_applied (applied_t *self, image_t *image)
{
    image_digest (image, &self->snapshot);
    image_digest (image, &self->before);
    image_digest (image, &self->after);
    image_digest (image, &self->improvement);
    image_unsigned (image, &self->state, STATE_COUNT - 1);
    metrics_image (&self->baseline, image);
    image_bytes (image, &self->row, LIMIT_PACKAGE_BYTES);
    if (image->loading)
        image_check (image, s_readable (&improvement_row_record, &self->row));
}

static void s_parting (parting_t *self, image_t *image)
{
    image_digest (image, &self->id);
    if (digest_is_zero (&self->id))
        return;
    image_key (image, &self->to);
    image_digest (image, &self->subject);
    image_bytes (image, &self->packed, LIMIT_STATEMENT_BYTES + SEAL_BYTES);
    image_uint (image, &self->retry_ms, 0);
    image_uint (image, &self->order, 0);
}

static void s_memory (node_t *self, image_t *image)
{
    self->tried = image_items (image, self->tried, &self->tried_count, LIMIT_TRIED, sizeof *self->tried);
    for (size_t i = 0; i < self->tried_count; i++)
        s_tried (&self->tried[i], image);
    self->shared = image_items (image, self->shared, &self->shared_count, LIMIT_SHARED, sizeof *self->shared);
    for (size_t i = 0; i < self->shared_count; i++)
        s_shared (&self->shared[i], image);
    self->applied =
        image_items (image, self->applied, &self->applied_count, LIMIT_SNAPSHOTS, sizeof *self->applied);
    for (size_t i = 0; i < self->applied_count; i++)
        s_applied (&self->applied[i], image);
    image_size (image, &self->outbox_used, LIMIT_OUTBOX);
    for (size_t i = 0; i < self->outbox_used; i++)
        s_parting (&self->outbox[i], image);
}

/* --- how the parts fit together --- */

static bool s_owner_is_here (const node_t *self, owner_t owner, size_t index)
{
    switch (owner) {
    case OWNER_NODE: return true;
    case OWNER_IMPROVEMENT: return self->improvements[index].used;
    case OWNER_TRIAL: return self->comparisons[index].used;
    case OWNER_JOB: return self->jobs[index].state != JOB_FREE;
    case OWNER_PARCEL: return self->parcels[index].state != PARCEL_FREE;
    }
    return false;
}

/* Nothing awaits for, or stands on, a place that is free. */
static void s_check (const node_t *self, image_t *image)
{
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS && image_sound (image); i++) {
        const improvement_t *improvement = &self->improvements[i];
        if (!improvement->used)
            continue;
        image_check (image, improvement->trial == NONE || self->comparisons[improvement->trial].used);
        image_check (image,
                     improvement->parcel == NONE || self->parcels[improvement->parcel].state != PARCEL_FREE);
    }
    for (size_t i = 0; i < LIMIT_TRIALS && image_sound (image); i++) {
        const comparison_t *comparison = &self->comparisons[i];
        image_check (image,
                     !comparison->used || (s_owner_is_here (self, comparison->owner, comparison->index) &&
                                           comparison->trial.objectives.count == self->objectives.count));
    }
    for (size_t i = 0; i < LIMIT_OPERATIONS && image_sound (image); i++) {
        const operation_t *operation = &self->operations[i];
        image_check (image, operation->id == 0 || s_owner_is_here (self, operation->owner, operation->index));
    }
}

void image_life (node_t *self, image_t *image)
{
    assert (self && image);
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        s_operation (&self->operations[i], image);
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        s_improvement (&self->improvements[i], image);
    for (size_t i = 0; i < LIMIT_TRIALS; i++)
        s_comparison (&self->comparisons[i], image);
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++)
        job_image (&self->jobs[i], image);
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++)
        parcel_image (&self->parcels[i], image);
    s_measurements (self, image);
    s_memory (self, image);
    if (image->loading && image_sound (image))
        s_check (self, image);
}
