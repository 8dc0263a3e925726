/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/evaluation_blocks.h"

#include <assert.h>
#include <stdlib.h>

#include "evolution/block.h"

/* A file's text, malloc'ed; NULL with the problem. */
static char *s_read (const workshop_t *shop, const tree_file_t *file, size_t *size, problem_t *problem)
{
    char *text = (char *)store_content_get (shop->store, &file->content, size);
    if (text == NULL)
        problem_set (problem, "%s is not in the store", file->path);
    return text;
}

static reason_code_t s_compare (const workshop_t *shop, const tree_file_t *start, const tree_file_t *file,
                                problem_t *problem)
{
    assert (!digest_equal (&start->content, &file->content));
    size_t before_size = 0, after_size = 0;
    char *after = NULL, *before = s_read (shop, start, &before_size, problem);
    reason_code_t reason = REASON_FAULT;
    if (before != NULL && !blocks_marked (before, before_size))
        reason = REASON_NONE;
    else if (before != NULL && (after = s_read (shop, file, &after_size, problem)) != NULL) {
        problem_t where = {{0}};
        bool kept = blocks_compare (before, before_size, after, after_size, &where) == 0;
        reason = kept ? REASON_NONE : REASON_PROTECTED;
        problem_set (problem, "%s: %s", file->path, where.text);
    }
    free (before);
    free (after);
    return reason;
}

reason_code_t evaluation_check_blocks (const workshop_t *shop, const digest_t *candidate, problem_t *problem)
{
    assert (shop != NULL && candidate != NULL);
    tree_t start = {0}, tree = {0};
    reason_code_t reason = REASON_FAULT;
    if (workshop_tree (shop, &shop->start, &start, problem) == 0 &&
        workshop_tree (shop, candidate, &tree, problem) == 0)
        reason = REASON_NONE;
    for (size_t i = 0; reason == REASON_NONE && i < start.count; i++) {
        const tree_file_t *file = tree_find (&tree, start.files[i].path);
        if (file == NULL) { /* the core has looked at the shape; nothing depends on it here */
            problem_set (problem, "%s is missing", start.files[i].path);
            reason = REASON_PROTECTED;
        } else if (!digest_equal (&file->content, &start.files[i].content))
            reason = s_compare (shop, &start.files[i], file, problem);
    }
    tree_clear (&start);
    tree_clear (&tree);
    return reason;
}
