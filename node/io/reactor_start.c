/* SPDX-License-Identifier: MPL-2.0 */
/* How the core is recovered from its journal and started on what the reactor stands on. */
#define _GNU_SOURCE /* czmq.h */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/platform.h"
#include "node/io/reactor_internal.h"
#include "node/io/rollout.h"

/* --- STARTED --- */

static size_t s_objectives (const objectives_t *objectives, objective_row_t rows[LIMIT_OBJECTIVES])
{
    for (size_t i = 0; i < objectives->count; i++) {
        const objective_t *objective = &objectives->items[i];
        rows[i] = (objective_row_t){.name = text_of (objective->name),
                                    .unit = text_of (objective->unit),
                                    .goal = (uint64_t)objective->goal,
                                    .source = (uint64_t)objective->source,
                                    .weight = objective->weight,
                                    .noisy = objective->noisy,
                                    .tolerance = objective->tolerance,
                                    .bound = objective->has_limit ? objective->limit : NAN,
                                    .alert = objective->has_alert ? objective->alert : NAN};
    }
    return objectives->count;
}

/* Seeds the core's random stream: as the operator says, else by chance. The journal keeps it. */
static digest_t s_seed (const reactor_t *self)
{
    digest_t seed;
    bool given = self->options.seed_given || self->config.seed_given;
    uint64_t number = self->options.seed_given ? self->options.seed : self->config.seed;
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    if (given)
        return digest_of (bytes, sizeof bytes);
    keystore_random (seed.bytes, sizeof seed.bytes);
    return seed;
}

static void s_settings (const reactor_t *self, started_t *started)
{
    const config_t *config = &self->config;
    started->name = text_of (config->name);
    started->language = text_of (self->agent.language);
    started->curve = keystore_curve (self->keystore)->public_key;
    started->seed = s_seed (self);
    started->addresses.items = self->addresses;
    started->addresses.count = self->address_count;
    started->timeout_ms = agent_evaluation_ms (&self->agent);
    started->slots = self->options.slots > 0 ? self->options.slots : config->slots;
    started->selection = (uint64_t)config->selection;
    started->islands = config->islands.count;
    started->migration_interval = config->islands.migration_interval;
    started->migration_fraction = config->islands.migration_fraction;
    started->learning_rate = config->learning_rate;
    started->proposals_max = config->proposals_max;
    started->candidates_kept = config->retention.candidates;
    started->confined = sandbox_confines (self->sandbox);
    started->breaker_enabled = config->safety_systems.circuit_breaker_enabled;
    started->breaker_threshold = config->safety_systems.failure_threshold;
    started->breaker_recovery_ms = config->safety_systems.recovery_timeout_seconds * 1000;
    started->automatic_rollback = config->safety_systems.automatic_rollback;
    started->auto_share = config->knowledge_transfer.auto_share_successful;
    started->compatibility_threshold = config->knowledge_transfer.compatibility_threshold;
    started->transfer_attempts_max = config->knowledge_transfer.max_transfer_attempts;
    started->validate_for_peers = config->collaborative_validation.network_enabled;
}

/* How many proposals at once may wait for somebody else's machine; 0 for a proposer that works here. */
static uint64_t s_parallel (const config_t *config, const agent_proposer_t *proposer)
{
    return strcmp (proposer->name, LLM_PROPOSER) == 0 ? config->llm.parallel : 0;
}

/* Steps the core with STARTED over `start`, the encoded tree that the group began with. */
static int s_start_turn (reactor_t *self, bytes_t start)
{
    objective_row_t objectives[LIMIT_OBJECTIVES];
    proposer_row_t proposers[AGENT_PROPOSERS_MAX];
    char platform[LIMIT_TEXT + 1];
    uint8_t entropy[SEED_BYTES];
    const group_t *group = &self->joined->group;
    started_t started = {.charter = bytes_of (group->packed.data, group->packed.size),
                         .roster =
                             bytes_of (self->joined->roster->packed.data, self->joined->roster->packed.size),
                         .start = start};
    s_settings (self, &started);
    platform_here (platform);
    started.platform = text_of (platform);
    started.objectives.count = s_objectives (&self->agent.objectives, objectives);
    started.objectives.items = objectives;
    for (size_t i = 0; i < self->config.proposer_count; i++)
        proposers[i] = (proposer_row_t){.name = text_of (self->config.proposers[i].name),
                                        .share = self->config.proposers[i].share,
                                        .parallel = s_parallel (&self->config, &self->config.proposers[i])};
    started.proposers.items = proposers;
    started.proposers.count = self->config.proposer_count;
    mesh_self_t about = {.curve = started.curve,
                         .address_count = self->address_count,
                         .validation_types = started.confined && started.validate_for_peers ? 7 : 0,
                         .platform = platform,
                         .live_seq = membership_live_seq (self->store) | 1 /* the mesh's are odd */};
    memcpy (about.addresses, self->addresses, sizeof about.addresses);
    keystore_random (entropy, sizeof entropy);
    return turn_start (self->turn, &started, group, &about, entropy, clock_now_ms (&self->clock),
                       clock_wall_ms ());
}

static void s_hint (reactor_t *self)
{
    for (size_t i = 0; i < self->joined->hints.hints.count; i++) {
        const hint_t *hint = &self->joined->hints.hints.items[i];
        char rpc[LIMIT_ENDPOINT + 1], pub[LIMIT_ENDPOINT + 1];
        text_copy (hint->rpc, rpc, sizeof rpc);
        text_copy (hint->pub, pub, sizeof pub);
        turn_hint (self->turn, &hint->peer, rpc, pub, clock_now_ms (&self->clock));
    }
}

/* `current` must lead to what the core takes for live. `first`: it was not there before. */
static int s_release (reactor_t *self, const digest_t *release, bool first, problem_t *problem)
{
    char name[DIGEST_SHORT_BYTES];
    bool switched;
    digest_short (release, name);
    if (releases_ensure (&self->workshop, release, &switched, problem) != 0)
        return ERROR_IO;
    if (switched && !first)
        log_line (LEVEL_WARNING, "release_switched",
                  "to=%s why=\"current did not lead to the live release\" remedy=\"restart the service that "
                  "runs it\"",
                  name);
    return 0;
}

int reactor_explain_recovery (const reactor_t *self, int rc, uint64_t number, problem_t *problem)
{
    problem_t what;
    if (rc == ERROR_IO || rc == ERROR_FULL)
        return problem_set (problem, "journal entry %llu: %s", (unsigned long long)number,
                            store_problem (self->store));
    if (rc == ERROR_VERSION)
        return problem_set (problem,
                            "its checkpoints are of another version of evomesh, and the journal before them "
                            "was dropped: start it with that version");
    if (rc == ERROR_NOT_FOUND)
        return store_damaged (self->store, "no checkpoint can be read, and the journal before it was dropped",
                              problem);
    if (rc == ERROR_MISMATCH)
        problem_set (&what, "the checkpoint behind journal entry %llu isn't what its entries lead to",
                     (unsigned long long)number);
    else
        problem_set (&what, "journal entry %llu: %s", (unsigned long long)number, error_text (rc));
    return rc == ERROR_MEMORY ? problem_set (problem, "%s", what.text)
                              : store_damaged (self->store, what.text, problem);
}

int reactor_start (reactor_t *self, problem_t *problem)
{
    assert (self != NULL);
    uint64_t number = 0;
    int rc = turn_recover (self->turn, &number);
    if (rc != 0) {
        reactor_explain_recovery (self, rc, number, problem);
        return rc;
    }
    clock_start (&self->clock, turn_last_now_ms (self->turn), turn_last_wall_ms (self->turn));
    size_t size;
    uint8_t *start = store_content_get (self->store, &self->joined->group.start, &size);
    if (start == NULL) {
        store_damaged (self->store, "the group's start is not in it", problem);
        return ERROR_NOT_FOUND;
    }
    /* Before what was under way is asked for again: a switch among it starts from the release that the core takes for live. */
    node_status_t status;
    node_status (turn_node (self->turn), &status);
    bool first = digest_is_zero (&status.release);
    rc = first ? 0 : s_release (self, &status.release, false, problem);
    if (rc != 0) {
        free (start);
        return rc;
    }
    rc = s_start_turn (self, bytes_of (start, size));
    free (start);
    if (rc != 0) {
        problem_set (problem, "the core could not be started: %s",
                     rc == ERROR_INPUT ? "charter, roster and start do not go together"
                                       : store_problem (self->store));
        return rc;
    }
    node_status (turn_node (self->turn), &status);
    if (first && (rc = s_release (self, &status.release, true, problem)) != 0)
        return rc;
    s_hint (self);
    self->metrics_ms = 0;
    return 0;
}
