/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/log_graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/improvement.h"
#include "node/cli/improvement_print.h"
#include "node/cli/lineage.h"

/* A candidate, as far as it is drawn. */
typedef struct {
    digest_t id;
    digest_t parents[LINEAGE_PARENTS_MAX];
    size_t parent_count;
    bool valid;
    bool dropped;
    uint64_t reason;
    metrics_t metrics;
    digest_t improvement;
    uint64_t time_ms;
    size_t order; /* 0 is the newest */
} candidate_t;

typedef struct {
    candidate_t *items; /* newest first */
    size_t count;
    size_t capacity;
    uint64_t limit;
    const candidate_t **by_id; /* the same, sorted */
} candidates_t;

/* --- gathering --- */

static candidate_t *s_add (candidates_t *self)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 64 : 2 * self->capacity;
        self->items = realloc (self->items, self->capacity * sizeof *self->items);
        assert (self->items != NULL);
    }
    candidate_t *candidate = &self->items[self->count];
    *candidate = (candidate_t){.order = self->count++};
    return candidate;
}

static int s_visit (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes, size_t size)
{
    (void)number;
    candidates_t *self = context;
    candidate_row_t row;
    arena_t arena = {0};
    if (record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL) == 0) {
        candidate_t *candidate = s_add (self);
        candidate->id = *key;
        candidate->valid = row.valid != 0;
        candidate->dropped = row.dropped != 0;
        candidate->reason = row.reason;
        candidate->improvement = row.improvement;
        candidate->time_ms = row.time_ms;
        for (size_t i = 0; i < row.parents.count && i < LINEAGE_PARENTS_MAX; i++)
            candidate->parents[candidate->parent_count++] = row.parents.items[i].id;
        candidate->metrics.count = row.metrics.count;
        for (size_t i = 0; i < row.metrics.count; i++)
            candidate->metrics.values[i] = row.metrics.items[i].value;
    }
    arena_clear (&arena);
    return self->count >= self->limit ? 1 : 0;
}

static int s_compare (const void *a, const void *b)
{
    const candidate_t *const *first = a, *const *second = b;
    return memcmp ((*first)->id.bytes, (*second)->id.bytes, DIGEST_BYTES);
}

static void s_sort (candidates_t *self)
{
    assert (self->by_id == NULL);
    self->by_id = calloc (self->count + 1, sizeof *self->by_id);
    assert (self->by_id != NULL);
    for (size_t i = 0; i < self->count; i++)
        self->by_id[i] = &self->items[i];
    qsort (self->by_id, self->count, sizeof *self->by_id, s_compare);
}

/* Is it drawn, below this one? */
static bool s_comes (const candidates_t *self, const digest_t *id, size_t order)
{
    candidate_t key = {.id = *id};
    const candidate_t *wanted = &key;
    const candidate_t *const *found =
        bsearch (&wanted, self->by_id, self->count, sizeof *self->by_id, s_compare);
    return found != NULL && (*found)->order > order;
}

/* --- telling --- */

/* What the test said; of what passed it, what became of that. */
static const char *s_verdict (store_t *store, const candidate_t *candidate)
{
    if (digest_is_zero (&candidate->improvement))
        return "start";
    if (candidate->reason != REASON_NONE)
        return improvement_reason_text (candidate->reason);
    improvement_row_t row;
    arena_t arena = {0};
    const char *verdict = "passed";
    uint8_t *bytes = session_record_try (store, TABLE_IMPROVEMENT, &improvement_row_record,
                                         &candidate->improvement, &row, &arena);
    if (bytes != NULL)
        verdict = row.reason != REASON_NONE ? improvement_reason_text (row.reason)
                                            : improvement_state_text (row.state);
    arena_clear (&arena);
    free (bytes);
    return verdict;
}

static json_t *s_json (store_t *store, const agent_t *agent, const candidate_t *candidate)
{
    json_t *parents = json_array (), *metrics = json_object ();
    char text[DIGEST_TEXT_BYTES];
    for (size_t i = 0; i < candidate->parent_count; i++) {
        digest_text (&candidate->parents[i], text);
        json_array_append_new (parents, json_string (text));
    }
    for (size_t i = 0; i < candidate->metrics.count && i < agent->objectives.count; i++)
        json_object_set_new (metrics, agent->objectives.items[i].name,
                             json_real (candidate->metrics.values[i]));
    digest_text (&candidate->id, text);
    return json_pack ("{s:s, s:o, s:b, s:b, s:s, s:o, s:I}", "id", text, "parents", parents, "valid",
                      candidate->valid, "files_dropped", candidate->dropped, "verdict",
                      s_verdict (store, candidate), "metrics", metrics, "time_ms",
                      (json_int_t)candidate->time_ms);
}

/* "ID  verdict  name value, …", and the parents whose lines aren't drawn. */
static void s_print_text (const cli_t *cli, store_t *store, const agent_t *agent,
                          const candidate_t *candidate, const bool drawn[LINEAGE_PARENTS_MAX])
{
    assert (candidate->parent_count <= LINEAGE_PARENTS_MAX);
    printf ("%s%s%s  %s%s", output_style (cli, OUTPUT_YELLOW), output_digest (&candidate->id).text,
            output_style (cli, OUTPUT_PLAIN), s_verdict (store, candidate),
            candidate->dropped ? ", files dropped" : "");
    for (size_t i = 0; i < candidate->metrics.count && i < agent->objectives.count; i++)
        printf ("%s%s %s", i == 0 ? "  " : ", ", agent->objectives.items[i].name,
                output_number (candidate->metrics.values[i]).text);
    for (size_t i = 0; i < candidate->parent_count; i++)
        if (!drawn[i])
            printf ("  of %s", output_digest (&candidate->parents[i]).text);
    putchar ('\n');
}

static void s_draw (const cli_t *cli, store_t *store, const agent_t *agent, const candidates_t *all)
{
    lineage_t lineage = {0};
    for (size_t i = 0; i < all->count; i++) {
        const candidate_t *candidate = &all->items[i];
        assert (candidate->order == i);
        digest_t coming[LINEAGE_PARENTS_MAX];
        size_t count = 0, places[LINEAGE_PARENTS_MAX];
        for (size_t k = 0; k < candidate->parent_count; k++)
            if (s_comes (all, &candidate->parents[k], i)) {
                places[count] = k;
                coming[count++] = candidate->parents[k];
            }
        lineage_lines_t lines;
        bool drawn[LINEAGE_PARENTS_MAX] = {false};
        lineage_next (&lineage, &candidate->id, coming, count, &lines);
        for (size_t k = 0; k < count; k++)
            drawn[places[k]] = lines.drawn[k];
        printf ("%s ", lines.row);
        s_print_text (cli, store, agent, candidate, drawn);
        for (size_t k = 0; k < lines.joint_count; k++)
            puts (lines.joints[k]);
    }
    if (all->count == 0)
        puts ("no candidates yet");
}

static int s_tell (const cli_t *cli, store_t *store, const agent_t *agent, const candidates_t *all)
{
    if (!cli->json) {
        s_draw (cli, store, agent, all);
        return CLI_DONE;
    }
    json_t *list = json_array ();
    for (size_t i = all->count; i > 0; i--)
        json_array_append_new (list, s_json (store, agent, &all->items[i - 1]));
    return output_json (list);
}

int log_graph (const cli_t *cli, store_t *store, uint64_t limit)
{
    assert (cli != NULL && store != NULL && limit > 0);
    candidates_t all = {.limit = limit};
    joined_t *joined = NULL;
    int rc = session_group (cli, store, &joined);
    if (rc != CLI_DONE)
        return rc;
    agent_t *agent = session_agent (store, joined);
    membership_destroy (&joined);
    if (agent == NULL)
        return CLI_FAILED;
    if (store_record_walk (store, TABLE_CANDIDATE, 0, true, s_visit, &all) < 0)
        rc = cli_fail ("the store can't be read: %s", store_problem (store));
    if (rc == CLI_DONE) {
        s_sort (&all);
        rc = s_tell (cli, store, agent, &all);
    }
    free (all.by_id);
    free (all.items);
    free (agent);
    return rc;
}
