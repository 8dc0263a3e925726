/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/workshop.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int workshop_tree (const workshop_t *self, const digest_t *candidate, tree_t *tree, problem_t *problem)
{
    assert (self != NULL && candidate != NULL && tree != NULL);
    char id[DIGEST_SHORT_BYTES];
    digest_short (candidate, id);
    size_t size;
    uint8_t *bytes = store_content_get (self->store, candidate, &size);
    if (bytes == NULL)
        return problem_set (problem, "candidate %s is not in the store", id);
    digest_t evaluator;
    int rc = tree_decode (bytes, size, tree, &evaluator);
    free (bytes);
    if (rc != 0)
        return problem_set (problem, "candidate %s: %s", id, error_text (rc));
    if (!digest_equal (&evaluator, &self->evaluator)) {
        tree_clear (tree);
        return problem_set (problem, "candidate %s was made for another evaluator", id);
    }
    return 0;
}

uint8_t *workshop_put_tree (const workshop_t *self, const tree_t *tree, digest_t *id, size_t *size,
                            problem_t *problem)
{
    assert (self != NULL && tree != NULL && id != NULL && size != NULL);
    uint8_t *bytes = tree_encode (tree, &self->evaluator, size);
    int rc = bytes == NULL ? ERROR_MEMORY : store_content_put (self->store, bytes, *size, id);
    if (rc == 0 && *size <= LIMIT_PACKAGE_BYTES)
        return bytes;
    problem_set (problem, "the candidate's list of files: %s", error_text (rc == 0 ? ERROR_BOUND : rc));
    free (bytes);
    return NULL;
}

int workshop_lay_out (const workshop_t *self, const tree_t *tree, char *path, size_t path_size,
                      problem_t *problem)
{
    assert (self != NULL && tree != NULL && path != NULL);
    if (workspace_scratch (self->work_directory, path, path_size, problem) != 0)
        return -1;
    if (workspace_write (self->store, self->pinned, path, problem) == 0 &&
        workspace_write (self->store, tree, path, problem) == 0)
        return 0;
    workspace_remove (path);
    return -1;
}

int workshop_whole (const workshop_t *self, const tree_t *tree, tree_t *whole, problem_t *problem)
{
    assert (self != NULL && tree != NULL && whole != NULL);
    int rc = tree_copy (whole, self->pinned);
    if (rc == 0)
        rc = tree_add_all (whole, tree);
    if (rc == 0)
        return 0;
    tree_clear (whole);
    return problem_set (problem, "the evolve files do not go with the pinned ones: %s", error_text (rc));
}

void workshop_words (const agent_command_t *command, const char *words[AGENT_COMMAND_MAX + 1])
{
    assert (command->count > 0 && command->count <= AGENT_COMMAND_MAX);
    for (size_t i = 0; i < command->count; i++)
        words[i] = command->words[i];
    words[command->count] = NULL;
}

text_t workshop_detail (const char *why, const sandbox_result_t *result, char *text, size_t size)
{
    assert (result != NULL && text != NULL);
    char raw[PROBLEM_TEXT_MAX + LIMIT_TAIL_BYTES + 16];
    size_t tail = result->error_size;
    while (tail > 0 && strchr (" \t\r\n", result->error_tail[tail - 1]) != NULL)
        tail--;
    int length = snprintf (raw, sizeof raw, "%.*s%s%.*s", PROBLEM_TEXT_MAX, why, tail > 0 ? "\n" : "",
                           (int)(tail < LIMIT_TAIL_BYTES ? tail : LIMIT_TAIL_BYTES),
                           tail > 0 ? result->error_tail : "");
    assert (length >= 0 && (size_t)length < sizeof raw);
    return text_clean ((text_t){raw, (size_t)length}, text, size);
}
