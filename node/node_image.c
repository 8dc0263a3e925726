/* SPDX-License-Identifier: MPL-2.0 */
/* The node in a checkpoint: what it is, what it has learned, whom it knows. What is under way is in node_image_life.c.
 *
 * The clocks of the event in hand aren't part of it, as each event brings its own. */
#include "node/node_image.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1 /* of the image: raised when a walk changes that a release had */

void image_digest (image_t *image, digest_t *digest)
{
    image_fixed (image, digest->bytes, DIGEST_BYTES);
}

void image_key (image_t *image, pubkey_t *key)
{
    image_fixed (image, key->bytes, PUBKEY_BYTES);
}

/* --- the group --- */

static void s_group (node_t *self, image_t *image)
{
    buffer_t charter = image->loading ? (buffer_t){0} : self->group.packed;
    buffer_t roster = image->loading ? (buffer_t){0} : self->members->packed;
    image_bytes (image, &charter, LIMIT_LONG_TEXT);
    image_bytes (image, &roster, LIMIT_STATEMENT_BYTES + SEAL_BYTES);
    if (!image->loading)
        return;
    problem_t problem;
    if (image_sound (image))
        image_check (image, group_open (bytes_of (charter.data, charter.size), &self->group, &problem) == 0);
    self->members = image_sound (image) ? calloc (1, sizeof *self->members) : NULL;
    if (image_sound (image) && !self->members)
        image_fail (image, ERROR_MEMORY);
    if (image_sound (image))
        image_check (image, members_open (bytes_of (roster.data, roster.size), &self->group, self->members,
                                          &problem) == 0);
    buffer_clear (&charter);
    buffer_clear (&roster);
}

static void s_validator (validator_t *self, image_t *image)
{
    image_key (image, &self->id);
    image_bool (image, &self->connected);
    image_unsigned (image, &self->validation_types, 0);
    for (size_t i = 0; i < IMPROVE_TYPES; i++)
        image_unsigned (image, &self->experience[i], 0);
    image_unsigned (image, &self->completed, 0);
    image_unsigned (image, &self->failed, 0);
    image_text (image, self->platform, sizeof self->platform);
}

static void s_peer (known_peer_t *self, image_t *image)
{
    image_key (image, &self->id);
    image_bool (image, &self->up);
    image_bool (image, &self->proved);
    s_validator (&self->record, image);
    image_unsigned (image, &self->adopted, 0);
    image_unsigned (image, &self->failed, 0);
    image_uint (image, &self->publication, 0);
    image_uint (image, &self->served, 0);
}

static void s_invitation (invitation_t *self, image_t *image)
{
    image_key (image, &self->curve);
    image_key (image, &self->bound_to);
    image_uint (image, &self->expires_ms, 0);
    image_uint (image, &self->uses, LIMIT_INVITE_USES);
    image_size (image, &self->joined_count, LIMIT_INVITE_USES);
    for (size_t i = 0; i < self->joined_count; i++)
        image_key (image, &self->joined[i]);
}

static void s_people (node_t *self, image_t *image)
{
    self->peers = image_items (image, self->peers, &self->peer_count, LIMIT_MEMBERS, sizeof *self->peers);
    for (size_t i = 0; i < self->peer_count; i++)
        s_peer (&self->peers[i], image);
    image_size (image, &self->invitation_count, LIMIT_INVITES);
    for (size_t i = 0; i < self->invitation_count; i++)
        s_invitation (&self->invitations[i], image);
}

/* --- settings and counters --- */

static void s_proposer (proposer_t *self, image_t *image)
{
    image_text (image, self->name, sizeof self->name);
    image_real (image, &self->share);
    image_unsigned (image, &self->parallel, 0);
    image_unsigned (image, &self->running, 0);
    image_unsigned (image, &self->fruitless, 0);
    image_text (image, self->fruitless_why, sizeof self->fruitless_why);
    image_uint (image, &self->after_ms, 0);
    image_bool (image, &self->exhausted);
    image_bool (image, &self->idle);
    image_unsigned (image, &self->idle_asked, 0);
    image_text (image, self->idle_why, sizeof self->idle_why);
    image_digest (image, &self->idle_live);
    image_uint (image, &self->idle_candidates, 0);
    image_digest (image, &self->idle_told);
}

static void s_settings (settings_t *self, image_t *image)
{
    image_text (image, self->name, sizeof self->name);
    image_text (image, self->platform, sizeof self->platform);
    image_text (image, self->language, sizeof self->language);
    image_key (image, &self->curve);
    image_size (image, &self->address_count, LIMIT_ENDPOINTS);
    for (size_t i = 0; i < self->address_count; i++) {
        image_text (image, self->addresses[i].rpc, sizeof self->addresses[i].rpc);
        image_text (image, self->addresses[i].pub, sizeof self->addresses[i].pub);
    }
    image_size (image, &self->proposer_count, LIMIT_CAPABILITIES);
    image_uint (image, &self->timeout_ms, 0);
    image_uint (image, &self->slots, 0);
    image_unsigned (image, &self->selection, SELECT_RANDOM);
    image_size (image, &self->islands.count, ARCHIVE_ISLANDS_MAX);
    image_size (image, &self->islands.migration_interval, SIZE_MAX);
    image_real (image, &self->islands.migration_fraction);
    image_uint (image, &self->proposals_max, 0);
    image_uint (image, &self->candidates_kept, 0);
    image_bool (image, &self->confined);
    image_bool (image, &self->automatic_rollback);
    image_bool (image, &self->auto_share);
    image_real (image, &self->compatibility_threshold);
    image_uint (image, &self->transfer_attempts_max, 0);
    image_bool (image, &self->validate_for_peers);
}

static void s_counters (node_t *self, image_t *image)
{
    node_status_t *counts = &self->counts;
    uint64_t *const counters[] = {&counts->proposed,          &counts->applied,
                                  &counts->rolled_back,       &counts->packages_sent,
                                  &counts->packages_received, &counts->packages_adopted,
                                  &counts->validations_done,  &counts->evaluations,
                                  &counts->duplicates,        &counts->equivocations};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        image_uint (image, counters[i], 0);
    for (size_t i = 0; i < REASON_COUNT; i++)
        image_uint (image, &counts->rejected[i], 0);
    image_unsigned (image, &self->last_rejected, REASON_COUNT - 1);
    image_uint (image, &self->proposals_made, 0);
    for (size_t i = 0; i < LIMIT_CAPABILITIES; i++)
        s_proposer (&self->proposers[i], image);
}

static void s_random (random_t *self, image_t *image)
{
    image_fixed (image, self->seed, sizeof self->seed);
    image_uint (image, &self->block, 0);
    image_fixed (image, self->buffer, sizeof self->buffer);
    image_size (image, &self->used, sizeof self->buffer);
}

/* --- the live release and what was learned --- */

static void s_live (node_t *self, image_t *image)
{
    image_digest (image, &self->live);
    image_bytes (image, &self->live_tree, LIMIT_PACKAGE_BYTES);
    metrics_image (&self->live_metrics, image);
    metrics_image (&self->start_metrics, image);
    image_bool (image, &self->baseline_known);
    image_bool (image, &self->baseline_running);
    image_uint (image, &self->baseline_retry_ms, 0);
    image_unsigned (image, &self->baseline_reason, REASON_COUNT - 1);
    image_text (image, self->baseline_detail, sizeof self->baseline_detail);
    image_check (image, self->live_tree.size > 0);
}

static void s_archive (node_t *self, image_t *image)
{
    objectives_image (&self->objectives, image);
    image_check (image, self->objectives.count > 0);
    if (image->loading && image_sound (image)) {
        self->archive = archive_new (&self->objectives);
        if (!self->archive)
            image_fail (image, ERROR_MEMORY);
    }
    if (image_sound (image))
        archive_image (self->archive, image);
    image_size (image, &self->retain_at, SIZE_MAX);
    image_size (image, &self->litter_count, LITTER_MAX);
    for (size_t i = 0; i < self->litter_count; i++)
        image_digest (image, &self->litter[i]);
    image_digest (image, &self->archive_digest);
    learning_rate_image (&self->learning, image);
    breaker_image (&self->breaker, image);
    image_bool (image, &self->last_fault_was_apply);
    image_text (image, self->last_fault, sizeof self->last_fault);
    image_uint (image, &self->last_fault_wall_ms, 0);
}

/* --- the whole --- */

static void s_node (node_t *self, image_t *image)
{
    unsigned version = VERSION;
    pubkey_t id = self->identity.id;
    image_unsigned (image, &version, 0);
    image_key (image, &id);
    if (image->loading && version != VERSION)
        image_fail (image, ERROR_VERSION);
    image_check (image, pubkey_equal (&id, &self->identity.id));
    s_group (self, image);
    s_people (self, image);
    s_settings (&self->settings, image);
    s_counters (self, image);
    s_random (&self->random, image);
    image_uint (image, &self->seq, UINT64_MAX - 2);
    image_check (image, self->seq % 2 == 0);
    image_uint (image, &self->publication, 0);
    image_uint (image, &self->operation, 0);
    image_uint (image, &self->order, 0);
    image_bool (image, &self->paused);
    image_bool (image, &self->stopped);
    image_bool (image, &self->left);
    s_live (self, image);
    s_archive (self, image);
    image_life (self, image);
}

void node_save (const node_t *self, buffer_t *out)
{
    assert (self && self->started && out);
    image_t image = image_to (out);
    s_node ((node_t *)(uintptr_t)self, &image); /* a walk that saves changes nothing */
}

int node_load (const identity_t *identity, const uint8_t *data, size_t size, node_t **self_p)
{
    assert (identity && self_p);
    node_t *self = node_new (identity);
    if (!self)
        return ERROR_MEMORY;
    image_t image = image_from (data, size);
    s_node (self, &image);
    self->started = true;
    int rc = image_end (&image);
    if (rc != 0)
        node_destroy (&self);
    *self_p = self;
    return rc;
}
