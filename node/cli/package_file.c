/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/package_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int package_copy_read (package_copy_t *self, const char *path)
{
    assert (self != NULL);
    size_t size;
    problem_t problem;
    memset (self, 0, sizeof *self);
    snprintf (self->name, sizeof self->name, "%s", path);
    self->bytes = session_read_file (path, PACKAGE_FILE_BYTES, &size);
    if (self->bytes == NULL)
        return CLI_FAILED;
    int rc = CLI_DONE;
    if (record_decode (&package_file_record, (uint8_t *)self->bytes, size, &self->file, &self->arena,
                       &problem) != 0)
        rc = cli_fail ("%s: no package file, or damaged: %s", path, problem.text);
    else if (!text_equal (self->file.format, PACKAGE_FORMAT))
        rc = cli_fail ("%s: format: found \"%s\", expected %s", path,
                       output_cell (self->file.format, 40).text, PACKAGE_FORMAT);
    self->packed = self->file.package;
    if (rc != CLI_DONE)
        package_copy_clear (self);
    return rc;
}

int package_copy_load (package_copy_t *self, store_t *store, const digest_t *id)
{
    assert (self != NULL && store != NULL && id != NULL);
    size_t size;
    memset (self, 0, sizeof *self);
    snprintf (self->name, sizeof self->name, "package %s", output_digest (id).text);
    self->stored = store_content_get (store, id, &size);
    if (self->stored == NULL)
        return cli_fail ("package %s is known, but its content was not fetched", output_digest (id).text);
    self->packed = bytes_of (self->stored, size);
    return CLI_DONE;
}

void package_copy_clear (package_copy_t *self)
{
    assert (self != NULL);
    if (self->verified) {
        message_clear (&self->message);
        tree_clear (&self->base);
        tree_clear (&self->candidate);
    }
    arena_clear (&self->arena);
    free (self->bytes);
    free (self->stored);
    memset (self, 0, sizeof *self);
}

/* --- the files in it --- */

static bool s_names (const tree_t *tree, const digest_t *content)
{
    for (size_t i = 0; i < tree->count; i++)
        if (digest_equal (&tree->files[i].content, content))
            return true;
    return false;
}

static bool s_holds (const char *name, const digest_t *contents, size_t count, const tree_t *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        bool found = false;
        for (size_t j = 0; j < count && !found; j++)
            found = digest_equal (&contents[j], &tree->files[i].content);
        if (!found)
            return cli_fail ("%s: not verified: it lacks %s", name, tree->files[i].path) == CLI_DONE;
    }
    return true;
}

/* The contents are those that the trees name: none is missing, none is foreign, so each matches its hash. */
static int s_check_contents (const package_copy_t *self)
{
    digest_t contents[2 * LIMIT_EVOLVE_FILES];
    size_t count = self->file.contents.count;
    assert (count <= 2 * LIMIT_EVOLVE_FILES);
    for (size_t i = 0; i < count; i++) {
        bytes_t bytes = self->file.contents.items[i].bytes;
        contents[i] = digest_of (bytes.data, bytes.size);
        if (!s_names (&self->base, &contents[i]) && !s_names (&self->candidate, &contents[i]))
            return cli_fail (
                "%s: not verified: file %zu in it is none that the package names: it was altered", self->name,
                i + 1);
    }
    bool whole = s_holds (self->name, contents, count, &self->base) &&
                 s_holds (self->name, contents, count, &self->candidate);
    return whole ? CLI_DONE : CLI_FAILED;
}

int package_copy_verify (package_copy_t *self, const group_t *group, package_line_fn *line, void *context)
{
    assert (self != NULL && self->packed.size > 0);
    assert (!self->verified);
    problem_t problem = {{0}};
    int rc = package_verify (self->packed, group, &self->message, &self->base, &self->candidate,
                             &self->report, line, context, &problem);
    if (rc != 0)
        return cli_fail ("%s: not verified: %s", self->name,
                         problem.text[0] != '\0' ? problem.text : error_text (rc));
    self->verified = true;
    return self->bytes == NULL ? CLI_DONE : s_check_contents (self);
}

/* --- writing --- */

typedef struct {
    file_content_t items[2 * LIMIT_EVOLVE_FILES];
    digest_t ids[2 * LIMIT_EVOLVE_FILES];
    uint8_t *owned[2 * LIMIT_EVOLVE_FILES];
    size_t count;
} contents_t;

static int s_gather (contents_t *contents, store_t *store, const tree_t *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        size_t size, at = 0;
        while (at < contents->count && !digest_equal (&contents->ids[at], &tree->files[i].content))
            at++;
        if (at < contents->count)
            continue;
        assert (at < 2 * LIMIT_EVOLVE_FILES);
        uint8_t *bytes = store_content_get (store, &tree->files[i].content, &size);
        if (bytes == NULL)
            return cli_fail ("%s of the package is not here: it was never fetched", tree->files[i].path);
        contents->ids[at] = tree->files[i].content;
        contents->owned[at] = bytes;
        contents->items[at].bytes = bytes_of (bytes, size);
        contents->count++;
    }
    return CLI_DONE;
}

int package_copy_encode (const package_copy_t *self, store_t *store, buffer_t *out)
{
    assert (self->verified);
    contents_t *contents = calloc (1, sizeof *contents);
    assert (contents != NULL);
    int rc = s_gather (contents, store, &self->base);
    if (rc == CLI_DONE)
        rc = s_gather (contents, store, &self->candidate);
    if (rc == CLI_DONE) {
        package_file_t file = {.format = text_of (PACKAGE_FORMAT),
                               .package = self->packed,
                               .contents = {contents->items, contents->count}};
        record_encode (&package_file_record, &file, out);
        if (out->failed)
            rc = cli_fail ("%s", error_text (ERROR_MEMORY));
    }
    for (size_t i = 0; i < contents->count; i++)
        free (contents->owned[i]);
    free (contents);
    return rc;
}
