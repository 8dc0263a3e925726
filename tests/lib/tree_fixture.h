/* SPDX-License-Identifier: MPL-2.0 */
/* Trees for tests of the workspace: made from text, and a store to hold them. */
#ifndef EVOMESH_TESTS_LIB_TREE_FIXTURE_H
#define EVOMESH_TESTS_LIB_TREE_FIXTURE_H

#include "node/io/workspace.h"
#include "tests/lib/scratch.h"

typedef struct {
    scratch_t scratch;
    store_t *store;
} fixture_t;

static inline fixture_t fixture_new (void)
{
    fixture_t self = {.scratch = scratch_new ()};
    problem_t problem = {""};
    umask (022);
    ck_assert_int_eq (mkdir (scratch_path (&self.scratch, "data").text, 0700), 0);
    self.store = store_open (scratch_path (&self.scratch, "data").text, true, false, &problem);
    ck_assert_msg (self.store != NULL, "%s", problem.text);
    return self;
}

static inline void fixture_destroy (fixture_t *self)
{
    store_close (&self->store);
    scratch_remove (&self->scratch);
}

/* Puts a file of `size` bytes into the store and the tree; a path that ends in '*' is executable. */
static inline void fixture_add_bytes (fixture_t *self, tree_t *tree, const char *path, const void *bytes,
                                      size_t size)
{
    char name[LIMIT_PATH + 2];
    digest_t id;
    snprintf (name, sizeof name, "%s", path);
    bool executable = name[strlen (name) - 1] == '*';
    if (executable)
        name[strlen (name) - 1] = '\0';
    ck_assert_int_eq (store_content_put (self->store, bytes, size, &id), 0);
    ck_assert_int_eq (tree_add (tree, name, executable, &id, size), 0);
}

static inline void fixture_add (fixture_t *self, tree_t *tree, const char *path, const char *text)
{
    fixture_add_bytes (self, tree, path, text, strlen (text));
}

/* Fails unless the tree's file at `path` holds exactly `text`. */
static inline void fixture_expect (fixture_t *self, const tree_t *tree, const char *path, const char *text)
{
    const tree_file_t *file = tree_find (tree, path);
    size_t size;
    ck_assert_msg (file != NULL, "%s is missing", path);
    uint8_t *bytes = store_content_get (self->store, &file->content, &size);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_uint_eq (size, file->size);
    char *found = malloc (size + 1);
    ck_assert_ptr_nonnull (found);
    memcpy (found, bytes, size);
    found[size] = '\0';
    ck_assert_str_eq (found, text);
    free (found);
    free (bytes);
}

#endif
