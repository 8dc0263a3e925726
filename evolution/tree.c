/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/tree.h"

#include "protocol/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- paths --- */

/* The length of the UTF-8 sequence (RFC 3629: no overlong forms, no surrogates) that starts at `text`, or 0. */
static size_t s_utf8_length (const unsigned char *text)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t extra = 0; extra < 4; extra++) {
        if ((text[0] & forms[extra].mask) != forms[extra].lead)
            continue;
        uint32_t point = text[0] & (unsigned char)~forms[extra].mask;
        for (size_t i = 1; i <= extra; i++) {
            if ((text[i] & 0xc0) !=
                0x80) /* the terminator is no continuation, so this stays inside the text */
                return 0;
            point = point << 6 | (text[i] & 0x3fu);
        }
        bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
        return point < forms[extra].least || point > 0x10ffff || is_surrogate ? 0 : extra + 1;
    }
    return 0;
}

static bool s_equal_ignoring_case (const char *text, const char *lower, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
        if (c != lower[i])
            return false;
    }
    return true;
}

/* U+0080 to U+009F, which a terminal obeys as it does an escape sequence, are control characters too. */
static bool s_is_control (const unsigned char *c)
{
    return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
}

/* True for a name between slashes that may stand in a path. `.git` and `.evomesh…` are other programs' places, where a
 * peer's file could become a hook or a setting. */
static bool s_part_valid (const char *part, size_t size)
{
    if (size == 0 || (size == 1 && part[0] == '.') || (size == 2 && memcmp (part, "..", 2) == 0))
        return false;
    if (size == 4 && s_equal_ignoring_case (part, ".git", 4))
        return false;
    return size < 8 || !s_equal_ignoring_case (part, ".evomesh", 8);
}

bool tree_path_valid (const char *path)
{
    assert (path);
    size_t size = 0, part = 0;
    while (path[size] != '\0') {
        const unsigned char *c = (const unsigned char *)path + size;
        size_t length = s_utf8_length (c);
        if (length == 0 || s_is_control (c) || size + length > LIMIT_PATH)
            return false;
        if (*c == '/') {
            if (!s_part_valid (path + part, size - part))
                return false;
            part = size + 1;
        }
        size += length;
    }
    return s_part_valid (path + part, size - part);
}

/* --- the list --- */

void tree_clear (tree_t *self)
{
    assert (self);
    free (self->files);
    self->files = NULL;
    self->count = 0;
}

/* Room is kept for the next power of two, so that a list of n files is moved log n times. */
static size_t s_capacity (size_t count)
{
    size_t capacity = 1;
    while (capacity < count)
        capacity *= 2;
    return count == 0 ? 0 : capacity;
}

/* The number of files whose path sorts before `path`. */
static size_t s_lower_bound (const tree_t *self, const char *path)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp (self->files[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const tree_file_t *tree_find (const tree_t *self, const char *path)
{
    assert (self && path);
    size_t at = s_lower_bound (self, path);
    return at < self->count && strcmp (self->files[at].path, path) == 0 ? &self->files[at] : NULL;
}

/* True if `path` is there, or stands below a file, or is a directory of one that is there. */
static bool s_collides (const tree_t *self, const char *path)
{
    char part[LIMIT_PATH + 2];
    size_t size = strlen (path);
    assert (size <= LIMIT_PATH);
    memcpy (part, path, size + 1);
    if (tree_find (self, part) != NULL)
        return true;
    for (char *slash = strchr (part, '/'); slash != NULL; slash = strchr (slash + 1, '/')) {
        *slash = '\0';
        bool is_file = tree_find (self, part) != NULL;
        *slash = '/';
        if (is_file)
            return true;
    }
    part[size] = '/';
    part[size + 1] = '\0';
    size_t at = s_lower_bound (self, part);
    return at < self->count && strncmp (self->files[at].path, part, size + 1) == 0;
}

int tree_add (tree_t *self, const char *path, bool executable, const digest_t *content, uint64_t size)
{
    assert (self->count <= LIMIT_FILES);
    if (!tree_path_valid (path) || s_collides (self, path))
        return ERROR_INPUT;
    if (self->count == LIMIT_FILES || size > LIMIT_CONTENT_BYTES)
        return ERROR_BOUND;
    if (self->count == s_capacity (self->count)) {
        tree_file_t *files = realloc (self->files, s_capacity (self->count + 1) * sizeof *files);
        if (files == NULL)
            return ERROR_MEMORY;
        self->files = files;
    }
    size_t at = s_lower_bound (self, path);
    memmove (self->files + at + 1, self->files + at, (self->count - at) * sizeof *self->files);
    self->count++;
    tree_file_t *file = &self->files[at];
    memset (file, 0, sizeof *file);
    memcpy (file->path, path, strlen (path));
    file->executable = executable;
    file->content = *content;
    file->size = size;
    assert (at == 0 || strcmp (self->files[at - 1].path, path) < 0); /* sorted, and each path once */
    return 0;
}

int tree_add_all (tree_t *self, const tree_t *from)
{
    assert (self && from && self != from);
    int rc = 0;
    for (size_t i = 0; i < from->count && rc == 0; i++) {
        const tree_file_t *file = &from->files[i];
        rc = tree_add (self, file->path, file->executable, &file->content, file->size);
    }
    return rc;
}

int tree_copy (tree_t *self, const tree_t *from)
{
    assert (self && from && self != from && from->count <= LIMIT_FILES);
    tree_file_t *files = NULL;
    if (from->count > 0) {
        files = malloc (s_capacity (from->count) * sizeof *files);
        if (files == NULL)
            return ERROR_MEMORY;
        memcpy (files, from->files, from->count * sizeof *files);
    }
    self->files = files;
    self->count = from->count;
    return 0;
}

static bool s_file_equal (const tree_file_t *a, const tree_file_t *b)
{
    return a->executable == b->executable && a->size == b->size && digest_equal (&a->content, &b->content);
}

bool tree_equal (const tree_t *a, const tree_t *b)
{
    assert (a && b);
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp (a->files[i].path, b->files[i].path) != 0 || !s_file_equal (&a->files[i], &b->files[i]))
            return false;
    return true;
}

bool tree_same_shape (const tree_t *self, const tree_t *of)
{
    assert (self && of);
    if (self->count != of->count)
        return false;
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->files[i].path, of->files[i].path) != 0 ||
            self->files[i].executable != of->files[i].executable || self->files[i].size > LIMIT_FILE_BYTES)
            return false;
    return true;
}

void tree_diff (const tree_t *old, const tree_t *fresh, tree_diff_fn *visit, void *context)
{
    assert (old && fresh && visit);
    size_t i = 0, j = 0;
    while (i < old->count || j < fresh->count) {
        int order = i == old->count     ? 1
                    : j == fresh->count ? -1
                                        : strcmp (old->files[i].path, fresh->files[j].path);
        if (order < 0)
            visit (context, &old->files[i++], NULL);
        else if (order > 0)
            visit (context, NULL, &fresh->files[j++]);
        else {
            if (!s_file_equal (&old->files[i], &fresh->files[j]))
                visit (context, &old->files[i], &fresh->files[j]);
            i++;
            j++;
        }
    }
}

/* --- the exact bytes --- */

#define TREE_ENTRY_FIELDS(F, L, R) \
    F (R, TEXT, path, LIMIT_PATH)  \
    F (R, UINT, executable, 1)     \
    F (R, DIGEST, content, 0)      \
    F (R, UINT, size, LIMIT_CONTENT_BYTES)
RECORD_STRUCT (tree_entry, TREE_ENTRY_FIELDS);
RECORD_TABLE (tree_entry, TREE_ENTRY_FIELDS);

#define TREE_LIST_FIELDS(F, L, R) \
    F (R, DIGEST, evaluator, 0)   \
    L (R, tree_entry, files, LIMIT_FILES)
RECORD_STRUCT (tree_list, TREE_LIST_FIELDS);
RECORD_TABLE (tree_list, TREE_LIST_FIELDS);

uint8_t *tree_encode (const tree_t *self, const digest_t *evaluator, size_t *size)
{
    assert (self->count <= LIMIT_FILES);
    tree_entry_t *entries = calloc (self->count + 1, sizeof *entries);
    buffer_t out = {NULL, 0, 0, false};
    if (entries == NULL)
        return NULL;
    for (size_t i = 0; i < self->count; i++) {
        const tree_file_t *file = &self->files[i];
        entries[i] = (tree_entry_t){text_of (file->path), file->executable, file->content, file->size};
    }
    tree_list_t list = {*evaluator, {entries, self->count}};
    record_encode (&tree_list_record, &list, &out);
    free (entries);
    if (out.failed) {
        buffer_clear (&out);
        return NULL;
    }
    *size = out.size;
    return out.data;
}

/* One tree has one encoding, so what isn't in order is refused: it would give the tree a second id. */
static bool s_add_in_order (tree_t *tree, const tree_entry_t *entry)
{
    char path[LIMIT_PATH + 1];
    if (!text_copy (entry->path, path, sizeof path))
        return false;
    if (tree->count > 0 && strcmp (tree->files[tree->count - 1].path, path) >= 0)
        return false;
    return tree_add (tree, path, entry->executable == 1, &entry->content, entry->size) == 0;
}

int tree_decode (const uint8_t *bytes, size_t size, tree_t *tree, digest_t *evaluator)
{
    assert ((bytes || size == 0) && tree && evaluator);
    arena_t arena = {NULL, 0};
    tree_list_t list;
    memset (tree, 0, sizeof *tree);
    bool good = record_decode (&tree_list_record, bytes, size, &list, &arena, NULL) == 0;
    for (size_t i = 0; good && i < list.files.count; i++)
        good = s_add_in_order (tree, &list.files.items[i]);
    if (good)
        *evaluator = list.evaluator;
    else
        tree_clear (tree);
    arena_clear (&arena);
    return good ? 0 : ERROR_MALFORMED;
}

digest_t tree_id (const tree_t *self, const digest_t *evaluator)
{
    size_t size;
    uint8_t *bytes = tree_encode (self, evaluator, &size);
    assert (bytes != NULL);
    digest_t id = digest_of (bytes, size);
    free (bytes);
    return id;
}
