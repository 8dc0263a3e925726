/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/tune_known.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* True if both marks mean the same: then a value of the one is one of the other. */
static bool s_same_mark (const literal_t *a, const literal_t *b)
{
    return a->kind == b->kind && a->minimum == b->minimum && a->maximum == b->maximum &&
           a->logarithmic == b->logarithmic && a->choice_count == b->choice_count;
}

bool tune_known_values (const source_t *source, const json_t *text, double *values)
{
    assert (source && values);
    literals_t literals;
    problem_t problem;
    if (!json_is_string (text) ||
        literals_scan_some (json_string_value (text), json_string_length (text), &literals, &problem) != 0)
        return false;
    bool same = literals.count == source->literals.count;
    for (size_t i = 0; i < literals.count && same; i++) {
        const literal_t *literal = &literals.items[i];
        same = s_same_mark (literal, &source->literals.items[i]);
        values[i] = literal->kind == LITERAL_CHOICE ? (double)literal->choice : literal->value;
    }
    literals_clear (&literals);
    return same;
}

static bool s_read_row (const json_t *files, const source_t *sources, size_t source_count, double *row)
{
    for (size_t i = 0; i < source_count; i++)
        if (!tune_known_values (&sources[i], json_object_get (files, sources[i].path),
                                row + sources[i].first))
            return false;
    return true;
}

/* Single figures of noisy objectives say little, so they count only where there are no others. */
static bool s_counts (const json_t *objectives, const json_t *objective)
{
    size_t i;
    json_t *other;
    bool any_exact = false;
    json_array_foreach (objectives, i, other) any_exact =
        any_exact || !json_is_true (json_object_get (other, "noisy"));
    return !any_exact || !json_is_true (json_object_get (objective, "noisy"));
}

/* How bad the metrics are: the weighted sum of each relative to the reference. False if one is missing. */
static bool s_loss (const json_t *objectives, const json_t *metrics, const json_t *reference, double *loss)
{
    *loss = 0;
    for (size_t i = 0; i < json_array_size (objectives); i++) {
        const json_t *objective = json_array_get (objectives, i);
        if (!s_counts (objectives, objective))
            continue;
        const char *name = json_string_value (json_object_get (objective, "name"));
        const char *goal = json_string_value (json_object_get (objective, "goal"));
        const json_t *value = name ? json_object_get (metrics, name) : NULL;
        const json_t *unit = name ? json_object_get (reference, name) : NULL;
        if (!goal || !json_is_number (value) || !json_is_number (unit))
            return false;
        double scale = fabs (json_number_value (unit));
        double weight = json_number_value (json_object_get (objective, "weight"));
        double term = weight * json_number_value (value) / (scale > 0 ? scale : 1);
        *loss += strcmp (goal, "minimize") == 0 ? term : -term;
    }
    return isfinite (*loss);
}

/* Adds the candidates of a list, the last of it first if `reversed`. */
static void s_read_list (tune_known_t *self, const json_t *request, const json_t *list, bool reversed,
                         const source_t *sources, size_t source_count, size_t parameter_count)
{
    known_t *known = &self->known;
    const json_t *objectives = json_object_get (request, "objectives");
    const json_t *top = json_object_get (json_object_get (request, "inspirations"), "top");
    const json_t *reference = json_object_get (json_array_get (top, 0), "metrics");
    size_t count = json_array_size (list);
    for (size_t i = 0; i < count && known->count < DIFFER_KNOWN_MAX; i++) {
        const json_t *one = json_array_get (list, reversed ? count - 1 - i : i);
        double *row = self->values + known->count * parameter_count;
        if (!s_loss (objectives, json_object_get (one, "metrics"), reference, &known->losses[known->count]) ||
            !s_read_row (json_object_get (one, "files"), sources, source_count, row))
            continue;
        known->rows[known->count++] = row;
    }
}

bool tune_known_read (tune_known_t *self, const json_t *request, const source_t *sources, size_t source_count,
                      size_t parameter_count)
{
    assert (self != NULL && sources != NULL && source_count > 0 && parameter_count > 0);
    const json_t *inspirations = json_object_get (request, "inspirations");
    memset (self, 0, sizeof *self);
    self->values = calloc (DIFFER_KNOWN_MAX * parameter_count, sizeof *self->values);
    if (self->values == NULL)
        return false;
    self->known.number = (uint64_t)json_integer_value (json_object_get (request, "number"));
    s_read_list (self, request, json_object_get (inspirations, "top"), false, sources, source_count,
                 parameter_count);
    self->known.best = self->known.count;
    s_read_list (self, request, json_object_get (inspirations, "diverse"), false, sources, source_count,
                 parameter_count);
    self->known.recent = self->known.count;
    s_read_list (self, request, json_object_get (request, "recent"), true, sources, source_count,
                 parameter_count);
    assert (self->known.best <= self->known.recent && self->known.recent <= self->known.count);
    assert (self->known.count <= DIFFER_KNOWN_MAX);
    return true;
}

void tune_known_clear (tune_known_t *self)
{
    assert (self);
    free (self->values);
    memset (self, 0, sizeof *self);
}
