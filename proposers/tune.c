/* SPDX-License-Identifier: MPL-2.0 */
/* tune: a proposer that changes marked numbers and choices in the files that may evolve (see evolution/literal.h).
 *
 * It runs in the sandbox, in the parent's checkout. On stdin: one JSON object with at least "seed", "learning_rate" and
 * "evolve" (paths); where "inspirations", "recent" and "failures" tell of candidates with their files, it goes on from these. On stdout:
 * one line that says what was changed, or that nothing is left to propose. Exit 0, or 1 with the reason on stderr. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "evolution/tree.h"
#include "evolution/validators.h"
#include "proposers/tune_space.h"

#define TRIES         8   /* at a proposal that is not known yet */
#define SETTINGS_TOLD 1e9 /* below it their number is told to the last digit */

typedef struct {
    json_t *request;
    uint64_t seed;
    double learning_rate;
    source_t sources[LIMIT_EVOLVE_FILES];
    size_t source_count;
    parameter_t *parameters;
    size_t parameter_count;
} tune_t;

/* Reads seed, learning rate and paths from the request. */
static int s_read_request (tune_t *self, problem_t *problem)
{
    json_error_t error;
    self->request = json_loadf (stdin, JSON_REJECT_DUPLICATES, &error);
    if (self->request == NULL)
        return problem_set (problem, "stdin: line %d: %s, expected one JSON object", error.line, error.text);
    json_t *seed = json_object_get (self->request, "seed");
    json_t *rate = json_object_get (self->request, "learning_rate");
    json_t *evolve = json_object_get (self->request, "evolve");
    if (!json_is_integer (seed))
        return problem_set (problem, "stdin: \"seed\": expected an integer");
    if (!json_is_number (rate) || !(json_number_value (rate) > 0))
        return problem_set (problem, "stdin: \"learning_rate\": expected a number above 0");
    if (!json_is_array (evolve) || json_array_size (evolve) > LIMIT_EVOLVE_FILES)
        return problem_set (problem, "stdin: \"evolve\": expected a list of at most %d paths",
                            LIMIT_EVOLVE_FILES);
    self->seed = (uint64_t)json_integer_value (seed);
    self->learning_rate = json_number_value (rate);
    for (size_t i = 0; i < json_array_size (evolve); i++) {
        const char *path = json_string_value (json_array_get (evolve, i));
        if (path == NULL || !tree_path_valid (path))
            return problem_set (problem,
                                "stdin: \"evolve\"[%zu]: expected a relative path below this directory", i);
        self->sources[self->source_count++].path = path;
    }
    return 0;
}

static int s_read_source (source_t *source, problem_t *problem)
{
    assert (source->path != NULL && source->text == NULL);
    source->text = malloc (LIMIT_FILE_BYTES + 1);
    FILE *file = fopen (source->path, "rb");
    if (source->text == NULL || file == NULL) {
        if (file != NULL)
            fclose (file);
        return problem_set (problem, "%s: can't be opened", source->path);
    }
    source->size = fread (source->text, 1, LIMIT_FILE_BYTES + 1, file);
    bool failed = ferror (file) != 0;
    fclose (file);
    if (failed)
        return problem_set (problem, "%s: can't be read", source->path);
    if (source->size > LIMIT_FILE_BYTES)
        return problem_set (problem, "%s: has more than %d bytes", source->path, LIMIT_FILE_BYTES);
    /* What can be read of a peer's program is enough; where nothing can, it is told why. */
    int rc = literals_scan_some (source->text, source->size, &source->literals, problem);
    if (rc == 0 && source->literals.count == 0)
        rc = literals_scan (source->text, source->size, &source->literals, problem);
    return rc == 0 ? 0 : problem_prefix (problem, "%s", source->path);
}

/* Sets the parameters to what they are in the parent. */
static void s_reset (tune_t *self)
{
    for (size_t i = 0; i < self->parameter_count; i++) {
        const literal_t *literal = self->parameters[i].literal;
        assert (literal->kind != LITERAL_CHOICE || literal->choice < literal->choice_count);
        self->parameters[i].value =
            literal->kind == LITERAL_CHOICE ? (double)literal->choice : literal->value;
    }
}

/* Finds all parameters of all files. */
static int s_read_sources (tune_t *self, problem_t *problem)
{
    for (size_t i = 0; i < self->source_count; i++) {
        source_t *source = &self->sources[i];
        source->first = self->parameter_count;
        if (s_read_source (source, problem) != 0)
            return -1;
        self->parameter_count += source->literals.count;
        assert (source->literals.count <= LITERALS_MAX);
    }
    if (self->parameter_count == 0)
        return problem_set (
            problem, "found no marked literal in the files that may evolve; mark one by a comment on its "
                     "line, for example: double weight = 0.5; // evolve: 0..1");
    self->parameters = calloc (self->parameter_count, sizeof *self->parameters);
    if (self->parameters == NULL)
        return problem_set (problem, "out of memory");
    for (size_t i = 0; i < self->source_count; i++)
        for (size_t k = 0; k < self->sources[i].literals.count; k++)
            self->parameters[self->sources[i].first + k].literal = &self->sources[i].literals.items[k];
    s_reset (self);
    return 0;
}

/* Writes the file anew if one of its parameters changed. */
static int s_write_source (const tune_t *self, const source_t *source, problem_t *problem)
{
    assert (source->first + source->literals.count <= self->parameter_count);
    double *values = calloc (source->literals.count + 1, sizeof *values);
    bool same = true;
    for (size_t k = 0; values != NULL && k < source->literals.count; k++) {
        values[k] = self->parameters[source->first + k].value;
        same &= literal_same (&source->literals.items[k], values[k]);
    }
    size_t size = 0;
    char *text = values == NULL || same
                     ? NULL
                     : literals_apply (source->text, source->size, &source->literals, values, &size);
    bool failed = values == NULL || (!same && text == NULL);
    free (values);
    if (failed)
        return problem_set (problem, "out of memory");
    if (same)
        return 0;
    FILE *file = fopen (source->path, "wb");
    bool written = file != NULL && fwrite (text, 1, size, file) == size;
    bool closed = file != NULL && fclose (file) == 0;
    free (text);
    return written && closed ? 0 : problem_set (problem, "%s: can't be written", source->path);
}

/* Prints "path:line old -> new" of parameter k; returns its length, as snprintf. */
static size_t s_describe_one (const source_t *source, const parameter_t *parameter, char *text, size_t size)
{
    assert (!literal_same (parameter->literal, parameter->value));
    const literal_t *literal = parameter->literal;
    char number[LITERAL_TEXT_BYTES];
    const char *fresh = number;
    size_t length;
    if (literal->kind == LITERAL_CHOICE) {
        size_t choice = (size_t)parameter->value;
        assert (choice < literal->choice_count);
        fresh = source->text + literal->choices[choice].offset;
        length = literal->choices[choice].length;
    } else {
        length = literal_print (source->text, literal, parameter->value, number);
    }
    return (size_t)snprintf (text, size, "%s:%u %.*s -> %.*s", source->path, literal->line,
                             (int)literal->length, source->text + literal->offset, (int)length, fresh);
}

/* Lists what changed, as far as there is room; the rest is counted. */
static void s_describe (const tune_t *self, char text[LIMIT_LONG_TEXT + 1])
{
    enum { COUNT_ROOM = 32 }; /* "; and 1024 more" */
    size_t length = 0, left_out = 0;
    for (size_t i = 0; i < self->source_count; i++)
        for (size_t k = 0; k < self->sources[i].literals.count; k++) {
            const source_t *source = &self->sources[i];
            const parameter_t *parameter = &self->parameters[source->first + k];
            if (literal_same (parameter->literal, parameter->value))
                continue;
            char one[LIMIT_LONG_TEXT];
            size_t more = s_describe_one (source, parameter, one, sizeof one);
            if (left_out > 0 || length + 2 + more > LIMIT_LONG_TEXT - COUNT_ROOM)
                left_out++;
            else
                length += (size_t)snprintf (text + length, LIMIT_LONG_TEXT - length, "%s%s",
                                            length > 0 ? "; " : "", one);
        }
    assert (length <= LIMIT_LONG_TEXT - COUNT_ROOM);
    if (left_out > 0)
        snprintf (text + length, LIMIT_LONG_TEXT - length, "%s%zu more", length > 0 ? "; and " : "",
                  left_out);
}

/* Takes `answer` over; NULL: there was no memory for it. */
static int s_print_line (json_t *answer, problem_t *problem)
{
    char *line = answer != NULL ? json_dumps (answer, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    bool printed = line != NULL && printf ("%s\n", line) > 0 && fflush (stdout) == 0;
    free (line);
    json_decref (answer);
    return printed ? 0 : problem_set (problem, "stdout: the answer can't be written");
}

static int s_print (char *description, problem_t *problem)
{
    json_t *text = json_string (description);
    if (text == NULL) { /* some choice isn't UTF-8 */
        for (char *c = description; *c != '\0'; c++)
            *c = (*c & 0x80) != 0 ? '?' : *c;
        text = json_string (description);
    }
    json_t *answer = json_pack ("{s:s, s:o}", "improvement_type",
                                improvement_type_name (IMPROVE_PARAMETER_TUNING), "description", text);
    return s_print_line (answer, problem);
}

static int s_print_exhausted (const tune_space_t *space, problem_t *problem)
{
    assert (isfinite (space->points) && space->points >= 1);
    bool spent = tune_space_is_spent (space);
    const char *part = spent ? "hardly any of" : "all", *fate = spent ? "is left" : "were tried";
    json_t *why =
        space->points < SETTINGS_TOLD
            ? json_sprintf ("%s the %.0f settings that its marks allow %s", part, space->points, fate)
            : json_sprintf ("%s the about %.0e settings that its marks allow %s", part, space->points, fate);
    return s_print_line (json_pack ("{s:o}", "exhausted", why), problem);
}

/* Changes the parameters to what was not proposed before. `*changed` is false if there is nothing left. */
static int s_change (tune_t *self, const tune_space_t *space, bool *changed, problem_t *problem)
{
    *changed = false;
    if (tune_space_is_spent (space))
        return 0;
    random_t random;
    random_init_number (&random, self->seed);
    tune_known_t known;
    if (!tune_known_read (&known, self->request, self->sources, self->source_count, self->parameter_count))
        return problem_set (problem, "out of memory");
    bool fresh = false, stuck = tune_space_is_stuck (space);
    for (int i = 0; i < TRIES && !fresh && !stuck; i++) {
        s_reset (self);
        differ (self->parameters, self->parameter_count, &known.known, self->learning_rate, &random);
        fresh = !tune_space_knows (space, self->parameters);
    }
    tune_known_clear (&known);
    *changed = fresh || !isfinite (space->points) || tune_space_take_other (space, self->parameters, &random);
    assert (*changed || isfinite (space->points)); /* the other spaces have no end */
    return 0;
}

static int s_tune (tune_t *self, problem_t *problem)
{
    if (s_read_request (self, problem) != 0 || s_read_sources (self, problem) != 0)
        return -1;
    tune_space_t space;
    if (!tune_space_read (&space, self->request, self->sources, self->source_count, self->parameters,
                          self->parameter_count))
        return problem_set (problem, "out of memory");
    bool changed;
    int rc = s_change (self, &space, &changed, problem);
    if (rc == 0 && !changed)
        rc = s_print_exhausted (&space, problem);
    tune_space_clear (&space);
    if (rc != 0 || !changed)
        return rc;
    for (size_t i = 0; i < self->source_count; i++)
        if (s_write_source (self, &self->sources[i], problem) != 0)
            return -1;
    char description[LIMIT_LONG_TEXT + 1] = "";
    s_describe (self, description);
    return s_print (description, problem);
}

int main (void)
{
    static tune_t self;
    problem_t problem = {""};
    int error = s_tune (&self, &problem);
    if (error != 0)
        fprintf (stderr, "tune: %s\n", problem.text);
    for (size_t i = 0; i < self.source_count; i++) {
        literals_clear (&self.sources[i].literals);
        free (self.sources[i].text);
    }
    free (self.parameters);
    json_decref (self.request);
    return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
