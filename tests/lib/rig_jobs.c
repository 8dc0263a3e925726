/* SPDX-License-Identifier: MPL-2.0 */
/* What the jobs of a rig's nodes come to, by the rules that the test set. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/rig_internal.h"

void rig_job_evaluate (rig_t *self, size_t k, const evaluate_t *evaluate)
{
    const rig_rules_t *rules = &self->nodes[k].rules;
    const digest_t *what = evaluate->live ? &self->nodes[k].current : &evaluate->candidate;
    size_t tree = rig_tree (self, what);
    value_t cost = {self->trees[tree].cost + (double)k * self->trees[tree].bias};
    event_t event = {.kind = EVENT_EVALUATED,
                     .as.evaluated = {.operation = evaluate->operation, .wall_ms = 10}};
    uint64_t reason = evaluate->live ? rules->live_reason : rules->evaluate_reason;
    self->nodes[k].evaluations++;
    self->nodes[k].evaluated[tree] += !evaluate->live;
    self->nodes[k].staged += evaluate->staged != 0;
    if (evaluate->staged && rules->staged_reason)
        reason = rules->staged_reason;
    if (digest_equal (what, &rules->failing))
        reason = rules->failing_reason;
    if (tree != 0 && self->nodes[k].evaluated[tree] <= rules->lucky_runs)
        cost.value -= rules->luck;
    if (evaluate->live)
        cost.value += tree == 0 ? rules->start_worse : rules->live_worse;
    if (reason) {
        event.as.evaluated.reason = reason;
        event.as.evaluated.detail = text_of ("by the test's rule");
    } else {
        event.as.evaluated.metrics.items = &cost;
        event.as.evaluated.metrics.count = 1;
    }
    rig_push (rules->hold_evaluations ? &self->nodes[k].held : &self->nodes[k].inbox, &event);
}

/* Adds the words of `from` to those of `to`, in order, each once. */
static void s_join (char to[64], const char *from)
{
    char words[8][64], copy[64];
    size_t count = 0;
    const char *const sides[] = {to, from};
    for (int side = 0; side < 2; side++) {
        (void)snprintf (copy, sizeof copy, "%s", sides[side]);
        for (char *rest = copy, *word = strtok_r (copy, "+", &rest); word;
             word = strtok_r (NULL, "+", &rest)) {
            size_t at = 0;
            while (at < count && strcmp (words[at], word) < 0)
                at++;
            if ((at < count && strcmp (words[at], word) == 0) || strcmp (word, "start") == 0)
                continue;
            assert (count < 8);
            memmove (words[at + 1], words[at], (count++ - at) * sizeof words[0]);
            (void)snprintf (words[at], sizeof words[0], "%s", word);
        }
    }
    int used = 0;
    for (size_t i = 0; i < count; i++)
        used += snprintf (to + used, 64 - (size_t)used, "%s%s", i ? "+" : "", words[i]);
}

/* A merge without a conflict costs what both changes save together; with one, all of the change conflicts, and stands. */
void rig_job_merge (rig_t *self, size_t k, const merge_t *merge)
{
    const rig_rules_t *rules = &self->nodes[k].rules;
    size_t base = rig_tree (self, &merge->base), ours = rig_tree (self, &merge->ours),
           theirs = rig_tree (self, &merge->theirs);
    double cost = self->trees[ours].cost + self->trees[theirs].cost - self->trees[base].cost;
    char text[64];
    memcpy (text, self->trees[ours].text, sizeof text);
    s_join (text, self->trees[theirs].text);
    size_t merged =
        rules->merge_conflicts > 0 ? theirs : rig_tree (self, rig_candidate (self, text, cost, 0));
    event_t event = {
        .kind = EVENT_MERGED,
        .as.merged = {.operation = merge->operation,
                      .result = rules->merge_result,
                      .tree = bytes_of (self->trees[merged].tree.data, self->trees[merged].tree.size),
                      .hunks = 2,
                      .conflicts = rules->merge_conflicts}};
    rig_push (rules->hold_merges ? &self->nodes[k].held : &self->nodes[k].inbox, &event);
}

void rig_job_done (rig_t *self, size_t k, event_kind_t kind, uint64_t operation, uint64_t result)
{
    event_t event = {.kind = kind, .as.snapshot_taken = {.operation = operation, .result = result}};
    bool held = kind == EVENT_SNAPSHOT_TAKEN && self->nodes[k].rules.hold_snapshots;
    rig_push (held ? &self->nodes[k].held : &self->nodes[k].inbox, &event);
}

/* Contents are everywhere: packages are found among what was persisted. */
void rig_job_fetch (rig_t *self, size_t k, const fetch_content_t *fetch)
{
    event_t event = {.kind = EVENT_FETCHED, .as.fetched = {.operation = fetch->operation}};
    self->nodes[k].fetches[fetch->tree]++;
    int from = rig_find (self, &fetch->peer, false);
    if (from < 0 || self->nodes[from].rules.deaf)
        event.as.fetched.result = 1;
    for (size_t i = 0; i < self->tree_count; i++)
        if (digest_equal (&self->trees[i].id, &fetch->content))
            event.as.fetched.bytes = bytes_of (self->trees[i].tree.data, self->trees[i].tree.size);
    bool mute = from >= 0 && self->nodes[from].rules.mute;
    if (!event.as.fetched.bytes.size || mute)
        event.as.fetched.result = 1;
    rig_push (mute ? &self->nodes[k].held : &self->nodes[k].inbox, &event);
}

void rig_job_load (rig_t *self, size_t k, const load_t *load)
{
    size_t tree = rig_tree (self, &load->content);
    event_t event = {
        .kind = EVENT_LOADED,
        .as.loaded = {.operation = load->operation,
                      .result = self->nodes[k].rules.load_result,
                      .bytes = bytes_of (self->trees[tree].tree.data, self->trees[tree].tree.size)}};
    rig_push (&self->nodes[k].inbox, &event);
}
