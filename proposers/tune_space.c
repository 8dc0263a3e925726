/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/tune_space.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MAX 9e15 /* up to here every whole number is one of its own */

/* How many values a parameter can have. */
static double s_choices (const literal_t *literal)
{
    double wide = literal->maximum - literal->minimum + 1;
    switch (literal->kind) {
    case LITERAL_CHOICE: return (double)literal->choice_count;
    case LITERAL_INTEGER: return wide < WHOLE_MAX ? wide : INFINITY;
    case LITERAL_REAL: return INFINITY;
    }
    assert (false);
    return INFINITY;
}

/* The least of them. */
static double s_first (const literal_t *literal)
{
    return literal->kind == LITERAL_CHOICE ? 0 : literal->minimum;
}

/* Reads a candidate into the next row, if it is the parent's text but for the values of marked literals. */
static bool s_add (tune_space_t *self, const json_t *candidate, const source_t *sources, size_t source_count)
{
    double *row = self->rows + self->row_count * self->count;
    const json_t *files = json_object_get (candidate, "files");
    for (size_t i = 0; i < source_count; i++) {
        const source_t *source = &sources[i];
        const json_t *text = json_object_get (files, source->path);
        if (!tune_known_values (source, text, row + source->first))
            return false;
        size_t size;
        char *same =
            literals_apply (source->text, source->size, &source->literals, row + source->first, &size);
        if (same == NULL)
            return false;
        bool is_same =
            size == json_string_length (text) && memcmp (same, json_string_value (text), size) == 0;
        free (same);
        if (!is_same)
            return false;
    }
    self->row_count++;
    return true;
}

static void s_add_list (tune_space_t *self, const json_t *list, const source_t *sources, size_t source_count)
{
    for (size_t i = 0; i < json_array_size (list); i++)
        (void)s_add (self, json_array_get (list, i), sources, source_count);
}

/* Failures tell, beside what is known of them, how many proposals in a row were repetitions. */
static void s_add_failures (tune_space_t *self, const json_t *list, const source_t *sources,
                            size_t source_count)
{
    bool only_repeats = true;
    for (size_t i = 0; i < json_array_size (list); i++) {
        const json_t *one = json_array_get (list, i);
        const char *reason = json_string_value (json_object_get (one, "reason"));
        bool reached = s_add (self, one, sources, source_count);
        only_repeats = only_repeats && reached && reason != NULL && strcmp (reason, "duplicate") == 0;
        self->repeats += only_repeats;
    }
}

bool tune_space_read (tune_space_t *self, const json_t *request, const source_t *sources, size_t source_count,
                      const parameter_t *parameters, size_t count)
{
    assert (self && sources && parameters && count > 0);
    const json_t *inspirations = json_object_get (request, "inspirations");
    const json_t *lists[] = {json_object_get (inspirations, "top"), json_object_get (inspirations, "diverse"),
                             json_object_get (request, "recent")};
    const json_t *failures = json_object_get (request, "failures");
    size_t rows_max = 1 + json_array_size (failures);
    *self = (tune_space_t){.parameters = parameters, .count = count, .points = 1, .row_count = 1};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        rows_max += json_array_size (lists[i]);
    self->rows = calloc (rows_max * count, sizeof *self->rows);
    if (self->rows == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        self->rows[i] = parameters[i].value;
        self->points *= s_choices (parameters[i].literal);
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        s_add_list (self, lists[i], sources, source_count);
    s_add_failures (self, failures, sources, source_count);
    assert (self->row_count <= rows_max && self->points >= 1);
    return true;
}

void tune_space_clear (tune_space_t *self)
{
    assert (self);
    free (self->rows);
    *self = (tune_space_t){0};
}

static bool s_is_at (const tune_space_t *self, const double *row, const parameter_t *parameters)
{
    for (size_t i = 0; i < self->count; i++) {
        const literal_t *literal = parameters[i].literal;
        double value = parameters[i].value;
        if (literal->kind != LITERAL_CHOICE && !literal_same (literal, value))
            value = literal_rounded (literal, value);
        if (value != row[i])
            return false;
    }
    return true;
}

bool tune_space_knows (const tune_space_t *self, const parameter_t *parameters)
{
    assert (self && parameters && self->row_count > 0);
    for (size_t row = 0; row < self->row_count; row++)
        if (s_is_at (self, self->rows + row * self->count, parameters))
            return true;
    return false;
}

bool tune_space_is_stuck (const tune_space_t *self)
{
    assert (self && self->repeats < self->row_count);
    return isfinite (self->points) && self->repeats >= TUNE_SPACE_REPEATS_STUCK;
}

bool tune_space_is_spent (const tune_space_t *self)
{
    assert (self && self->repeats < self->row_count);
    return isfinite (self->points) && self->repeats >= TUNE_SPACE_REPEATS_MAX;
}

/* The next point, as an odometer counts. */
static void s_turn_on (const tune_space_t *self, parameter_t *parameters)
{
    for (size_t i = 0; i < self->count; i++) {
        double first = s_first (parameters[i].literal);
        if (++parameters[i].value < first + s_choices (parameters[i].literal))
            return;
        parameters[i].value = first;
    }
}

bool tune_space_take_other (const tune_space_t *self, parameter_t *parameters, random_t *random)
{
    assert (self && parameters && random);
    assert (isfinite (self->points) && self->row_count > 0);
    for (size_t i = 0; i < self->count; i++) {
        const literal_t *literal = parameters[i].literal;
        parameters[i].value =
            s_first (literal) + (double)random_below (random, (uint64_t)s_choices (literal));
    }
    /* Among one more than are known there is another, unless there are no more. */
    for (size_t k = 0; k <= self->row_count && (double)k < self->points; k++) {
        if (!tune_space_knows (self, parameters))
            return true;
        s_turn_on (self, parameters);
    }
    return false;
}
