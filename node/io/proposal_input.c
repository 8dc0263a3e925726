/* SPDX-License-Identifier: MPL-2.0 */
/* What a proposer is told, and what it says of its proposal: JSON both ways. */
#include "node/io/proposal.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/improvement.h"
#include "evolution/validators.h"
#include "node/records.h"

#define FAILURES_TOLD    24
#define FAILURES_LOOK_AT 256 /* newest improvements among which they are sought */
#define RECENT_TOLD      239
#define RECENT_LOOK_AT   512
#define FILES_BYTES_MAX \
    (256 * 1024) /* of the files of inspirations and failures together; who comes beyond is told without */
#define RECENT_BYTES_MAX \
    (256 * 1024) /* of the files of the recent ones; the first that goes beyond ends the list */

static json_t *s_text (text_t text)
{
    return json_stringn (text.data == NULL ? "" : text.data, text.size);
}

static json_t *s_id (const digest_t *id)
{
    char text[DIGEST_TEXT_BYTES];
    digest_text (id, text);
    return json_string (text);
}

static json_t *s_metrics (const workshop_t *shop, const candidate_row_t *row)
{
    const objectives_t *objectives = &shop->agent->objectives;
    json_t *metrics = json_object ();
    for (size_t i = 0; i < row->metrics.count && i < objectives->count; i++)
        json_object_set_new (metrics, objectives->items[i].name, json_real (row->metrics.items[i].value));
    return metrics;
}

/* Sets "metrics" of a candidate, and its "artifacts", as far as the store knows them. */
static void s_tell_measured (const workshop_t *shop, const digest_t *id, bool artifacts, json_t *object)
{
    size_t size;
    uint8_t *bytes = store_record_get (shop->store, TABLE_CANDIDATE, id, &size);
    candidate_row_t row;
    arena_t arena = {0};
    if (!bytes || record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL) != 0)
        json_object_set_new (object, "metrics", json_object ());
    else {
        json_object_set_new (object, "metrics", s_metrics (shop, &row));
        json_t *told = artifacts && row.valid ? json_loadb (row.detail.data, row.detail.size, 0, NULL) : NULL;
        if (json_is_object (told))
            json_object_set (object, "artifacts", told);
        json_decref (told);
    }
    arena_clear (&arena);
    free (bytes);
}

static json_t *s_candidate (const workshop_t *shop, const digest_t *id, bool artifacts)
{
    json_t *object = json_object ();
    json_object_set_new (object, "id", s_id (id));
    s_tell_measured (shop, id, artifacts, object);
    return object;
}

/* {path: text} of a candidate's evolve files; NULL if one is not text or not here, or they don't fit in `*room`, which is used up by
 * them. `too_large` (may be NULL) tells whether that is why. A NUL byte is no text: proposers read texts as C does. */
static json_t *s_files (const workshop_t *shop, const digest_t *id, size_t *room, bool *too_large)
{
    tree_t tree = {0};
    problem_t problem = {{0}};
    if (workshop_tree (shop, id, &tree, &problem) != 0)
        return NULL;
    json_t *files = json_object ();
    size_t left = *room;
    bool told = true;
    for (size_t i = 0; i < tree.count && told; i++) {
        size_t size = 0;
        uint8_t *bytes = store_content_get (shop->store, &tree.files[i].content, &size);
        bool fits = size <= left;
        json_t *text = bytes && fits && memchr (bytes, 0, size) == NULL
                           ? json_stringn ((const char *)bytes, size)
                           : NULL;
        if (too_large)
            *too_large = !fits;
        told = text && json_object_set_new (files, tree.files[i].path, text) == 0;
        left -= told ? size : 0;
        free (bytes);
    }
    tree_clear (&tree);
    if (!told) {
        json_decref (files);
        return NULL;
    }
    assert (left <= *room);
    *room = left;
    return files;
}

static json_t *s_inspirations (const workshop_t *shop, const hash_t *ids, size_t count, size_t *room)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < count; i++) {
        json_t *one = s_candidate (shop, &ids[i].id, false), *files = s_files (shop, &ids[i].id, room, NULL);
        if (files)
            json_object_set_new (one, "files", files);
        json_array_append_new (list, one);
    }
    return list;
}

typedef struct {
    const workshop_t *shop;
    bool artifacts;
    json_t *list;
    size_t *room;
    size_t seen;
} failures_t;

static json_t *s_failure (const workshop_t *shop, bool artifacts, const improvement_row_t *row, size_t *room)
{
    json_t *one = json_object ();
    json_object_set_new (one, "id", s_id (&row->candidate));
    json_object_set_new (one, "parent", s_id (&row->parent));
    json_object_set_new (one, "description", s_text (row->description));
    json_object_set_new (one, "reason", json_string (reason_name ((reason_code_t)row->reason)));
    if (artifacts)
        json_object_set_new (one, "detail", s_text (row->detail));
    s_tell_measured (shop, &row->candidate, artifacts, one);
    json_t *files = s_files (shop, &row->candidate, room, NULL);
    if (files)
        json_object_set_new (one, "files", files);
    return one;
}

static int s_add_failure (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                          size_t size)
{
    (void)number, (void)key;
    failures_t *failures = context;
    improvement_row_t row;
    arena_t arena = {0};
    if (record_decode (&improvement_row_record, bytes, size, &row, &arena, NULL) == 0 &&
        row.state == STATE_REJECTED && row.reason < REASON_COUNT)
        json_array_append_new (failures->list,
                               s_failure (failures->shop, failures->artifacts, &row, failures->room));
    arena_clear (&arena);
    return ++failures->seen == FAILURES_LOOK_AT || json_array_size (failures->list) == FAILURES_TOLD;
}

static json_t *s_failures (const workshop_t *shop, bool artifacts, size_t *room)
{
    failures_t failures = {shop, artifacts, json_array (), room, 0};
    store_record_walk (shop->store, TABLE_IMPROVEMENT, 0, true, s_add_failure, &failures);
    return failures.list;
}

typedef struct {
    const workshop_t *shop;
    json_t *list;
    size_t room;
    size_t seen;
} recent_t;

static int s_add_recent (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                         size_t size)
{
    (void)number, (void)key;
    recent_t *recent = context;
    improvement_row_t row;
    arena_t arena = {0};
    bool full = false;
    if (record_decode (&improvement_row_record, bytes, size, &row, &arena, NULL) == 0) {
        json_t *one = s_candidate (recent->shop, &row.candidate, false);
        if (json_object_size (json_object_get (one, "metrics")) > 0) {
            /* Those that are no text, or whose files were dropped, are passed over. */
            json_t *files = s_files (recent->shop, &row.candidate, &recent->room, &full);
            if (files != NULL) {
                json_object_set_new (one, "files", files);
                json_array_append (recent->list, one);
            }
        }
        json_decref (one);
    }
    arena_clear (&arena);
    return full || ++recent->seen == RECENT_LOOK_AT || json_array_size (recent->list) == RECENT_TOLD;
}

static json_t *s_recent (const workshop_t *shop)
{
    recent_t recent = {shop, json_array (), RECENT_BYTES_MAX, 0};
    store_record_walk (shop->store, TABLE_IMPROVEMENT, 0, true, s_add_recent, &recent);
    return recent.list;
}

static json_t *s_objectives (const objectives_t *objectives)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < objectives->count; i++) {
        const objective_t *objective = &objectives->items[i];
        json_array_append_new (list, json_pack ("{s:s, s:s, s:f, s:s, s:b}", "name", objective->name, "goal",
                                                objective->goal == GOAL_MINIMIZE ? "minimize" : "maximize",
                                                "weight", objective->weight, "unit", objective->unit, "noisy",
                                                objective->noisy));
    }
    return list;
}

bool proposal_has_network (const config_t *config, const agent_proposer_t *proposer)
{
    return proposer->command.count > 0 ? config->proposer_network
                                       : strcmp (proposer->name, LLM_PROPOSER) == 0;
}

/* What evaluations printed leaves the machine only where the operator consents. */
static bool s_may_see_artifacts (const config_t *config, const propose_t *effect)
{
    assert (effect->proposer < config->proposer_count);
    return config->share_artifacts || !proposal_has_network (config, &config->proposers[effect->proposer]);
}

json_t *proposal_input (const workshop_t *shop, const propose_t *effect)
{
    assert (effect->proposer < shop->config->proposer_count);
    json_t *root = json_object (), *inspirations = json_object (), *evolve = json_array ();
    size_t room = FILES_BYTES_MAX;
    bool artifacts = s_may_see_artifacts (shop->config, effect);
    json_object_set_new (inspirations, "top",
                         s_inspirations (shop, effect->top.items, effect->top.count, &room));
    json_object_set_new (inspirations, "diverse",
                         s_inspirations (shop, effect->diverse.items, effect->diverse.count, &room));
    for (size_t i = 0; i < shop->agent->evolve_count; i++)
        json_array_append_new (evolve, json_string (shop->agent->evolve[i]));
    json_object_set_new (root, "parent", s_candidate (shop, &effect->parent, artifacts));
    json_object_set_new (root, "inspirations", inspirations);
    json_object_set_new (root, "failures", s_failures (shop, artifacts, &room));
    if (strcmp (shop->config->proposers[effect->proposer].name, LLM_PROPOSER) != 0)
        json_object_set_new (root, "recent", s_recent (shop));
    json_object_set_new (root, "learning_rate", json_real (effect->learning_rate));
    json_object_set_new (root, "number", json_integer ((json_int_t)(effect->number & INT64_MAX)));
    json_object_set_new (root, "seed", json_integer ((json_int_t)(effect->seed & INT64_MAX)));
    json_object_set_new (root, "evolve", evolve);
    json_object_set_new (root, "objectives", s_objectives (&shop->agent->objectives));
    return root;
}

static int s_read_second_parent (const json_t *id, const digest_t *parent, const digest_t *given,
                                 size_t count, digest_t *found, problem_t *problem)
{
    assert (given != NULL || count == 0);
    digest_t named;
    const char *text = json_string_value (id);
    if (id == NULL || json_is_null (id))
        return 0;
    size_t at = text != NULL && digest_parse (text, &named) == 0 ? 0 : count;
    while (at < count && !digest_equal (&given[at], &named))
        at++;
    if (at == count)
        return problem_set (problem,
                            "second_parent: found %.64s, expected the id of an inspiration that the "
                            "proposer was given",
                            text == NULL ? "no text" : text);
    if (!digest_equal (&named, parent))
        *found = named;
    return 0;
}

/* The last line that isn't blank, as JSON; NULL if it is meant as something else. Who begins with a brace means an answer: that one
 * can't be read is a problem, as what it says could be that no file counts. */
static int s_read_last_line (const char *output, size_t size, json_t **line, problem_t *problem)
{
    while (size > 0 && strchr (" \t\r\n", output[size - 1]) != NULL)
        size--;
    size_t start = size;
    while (start > 0 && output[start - 1] != '\n')
        start--;
    while (start < size && strchr (" \t\r", output[start]) != NULL)
        start++;
    json_error_t error;
    *line = json_loadb (output + start, size - start, JSON_REJECT_DUPLICATES, &error);
    if (*line != NULL || start == size || output[start] != '{')
        return 0;
    return problem_set (problem, "last line of stdout: column %d: %s; expected one JSON object", error.column,
                        error.text);
}

int proposal_read_output (const char *output, size_t size, const digest_t *parent, const digest_t *given,
                          size_t count, proposal_said_t *said, problem_t *problem)
{
    assert (output != NULL && parent != NULL && (given != NULL || count == 0));
    *said = (proposal_said_t){.improvement_type = IMPROVE_PARAMETER_TUNING};
    json_t *line;
    if (s_read_last_line (output, size, &line, problem) != 0)
        return -1;
    const json_t *type = json_object_get (line, "improvement_type");
    const json_t *text = json_object_get (line, "description");
    if (json_is_string (type) && improvement_type_parse (json_string_value (type)) >= 0)
        said->improvement_type = (uint64_t)improvement_type_parse (json_string_value (type));
    const json_t *exhausted = json_object_get (line, "exhausted");
    said->exhausted = json_is_string (exhausted);
    if (said->exhausted)
        text = exhausted;
    if (json_is_string (text))
        text_clean ((text_t){json_string_value (text), json_string_length (text)}, said->description,
                    sizeof said->description);
    int rc = exhausted != NULL && json_string_length (exhausted) == 0
                 ? problem_set (problem, "exhausted: expected why there is nothing more to propose, in words")
                 : s_read_second_parent (json_object_get (line, "second_parent"), parent, given, count,
                                         &said->second_parent, problem);
    json_decref (line);
    return rc;
}
