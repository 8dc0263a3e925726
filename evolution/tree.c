/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/tree.h"

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
    size_t size = 0, part = 0;
    while (path[size] != '\0') {
        unsigned char c = (unsigned char)path[size];
        size_t length = s_utf8_length ((const unsigned char *)path + size);
        if (length == 0 || c < 0x20 || c == 0x7f || size + length > LIMIT_PATH)
            return false;
        if (c == '/') {
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
    return 0;
}

int tree_copy (tree_t *self, const tree_t *from)
{
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
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp (a->files[i].path, b->files[i].path) != 0 || !s_file_equal (&a->files[i], &b->files[i]))
            return false;
    return true;
}

void tree_diff (const tree_t *old, const tree_t *fresh, tree_diff_fn *visit, void *context)
{
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

/* --- the exact bytes: msgpack, each value in its shortest form --- */

#define HEAD_BYTES_MAX 40 /* array, evaluator, array */
#define FILE_BYTES_MAX                                                                                       \
    (1 + 2 + LIMIT_PATH + 1 + 2 + DIGEST_BYTES + 9) /* array, path, executable, content, size */

_Static_assert(LIMIT_PATH <= 0xff, "a path's length fits in one byte");

static uint8_t *s_put_digest (uint8_t *out, const digest_t *digest)
{
    *out++ = 0xc4;
    *out++ = DIGEST_BYTES;
    memcpy (out, digest->bytes, DIGEST_BYTES);
    return out + DIGEST_BYTES;
}

/* A number of `bytes` bytes, big-endian, after its type. */
static uint8_t *s_put_big_endian (uint8_t *out, uint8_t type, uint64_t number, unsigned bytes)
{
    *out++ = type;
    while (bytes-- > 0)
        *out++ = (uint8_t)(number >> (8 * bytes));
    return out;
}

static uint8_t *s_put_number (uint8_t *out, uint64_t number)
{
    if (number < 0x80)
        return s_put_big_endian (out, (uint8_t)number, 0, 0);
    if (number <= UINT8_MAX)
        return s_put_big_endian (out, 0xcc, number, 1);
    if (number <= UINT16_MAX)
        return s_put_big_endian (out, 0xcd, number, 2);
    if (number <= UINT32_MAX)
        return s_put_big_endian (out, 0xce, number, 4);
    return s_put_big_endian (out, 0xcf, number, 8);
}

static uint8_t *s_put_path (uint8_t *out, const char *path)
{
    size_t size = strlen (path);
    out = size < 32 ? s_put_big_endian (out, (uint8_t)(0xa0 | size), 0, 0)
                    : s_put_big_endian (out, 0xd9, size, 1);
    memcpy (out, path, size);
    return out + size;
}

uint8_t *tree_encode (const tree_t *self, const digest_t *evaluator, size_t *size)
{
    assert (self->count <= LIMIT_FILES);
    uint8_t *bytes = malloc (HEAD_BYTES_MAX + self->count * FILE_BYTES_MAX);
    if (bytes == NULL)
        return NULL;
    uint8_t *out = bytes;
    *out++ = 0x92;
    out = s_put_digest (out, evaluator);
    out = self->count < 16 ? s_put_big_endian (out, (uint8_t)(0x90 | self->count), 0, 0)
                           : s_put_big_endian (out, 0xdc, self->count, 2);
    for (size_t i = 0; i < self->count; i++) {
        const tree_file_t *file = &self->files[i];
        *out++ = 0x94;
        out = s_put_path (out, file->path);
        *out++ = file->executable;
        out = s_put_digest (out, &file->content);
        out = s_put_number (out, file->size);
    }
    *size = (size_t)(out - bytes);
    assert (*size <= HEAD_BYTES_MAX + self->count * FILE_BYTES_MAX);
    return bytes;
}

/* What is left to read. Forms that are not the shortest are read too: tree_decode compares with tree_encode. */
typedef struct {
    const uint8_t *next;
    size_t left;
} reader_t;

/* The next `size` bytes, or NULL if there are fewer. */
static const uint8_t *s_take (reader_t *self, size_t size)
{
    if (self->left < size)
        return NULL;
    const uint8_t *bytes = self->next;
    self->next += size;
    self->left -= size;
    return bytes;
}

static bool s_get_byte (reader_t *self, uint8_t *byte)
{
    const uint8_t *bytes = s_take (self, 1);
    if (bytes != NULL)
        *byte = *bytes;
    return bytes != NULL;
}

static bool s_get_big_endian (reader_t *self, size_t size, uint64_t *number)
{
    const uint8_t *bytes = s_take (self, size);
    *number = 0;
    for (size_t i = 0; bytes != NULL && i < size; i++)
        *number = *number << 8 | bytes[i];
    return bytes != NULL;
}

static bool s_get_number (reader_t *self, uint64_t *number)
{
    uint8_t type;
    if (!s_get_byte (self, &type))
        return false;
    *number = type;
    if (type < 0x80)
        return true;
    return type >= 0xcc && type <= 0xcf && s_get_big_endian (self, (size_t)1 << (type - 0xcc), number);
}

static bool s_get_digest (reader_t *self, digest_t *digest)
{
    const uint8_t *bytes = s_take (self, 2 + DIGEST_BYTES);
    if (bytes == NULL || bytes[0] != 0xc4 || bytes[1] != DIGEST_BYTES)
        return false;
    memcpy (digest->bytes, bytes + 2, DIGEST_BYTES);
    return true;
}

static bool s_get_path (reader_t *self, char path[LIMIT_PATH + 1])
{
    uint8_t type;
    uint64_t size;
    if (!s_get_byte (self, &type))
        return false;
    if (type >= 0xa0 && type <= 0xbf)
        size = type & 0x1fu;
    else if (type != 0xd9 || !s_get_big_endian (self, 1, &size))
        return false;
    const uint8_t *bytes = size <= LIMIT_PATH ? s_take (self, (size_t)size) : NULL;
    if (bytes == NULL || memchr (bytes, 0, (size_t)size) != NULL)
        return false;
    memcpy (path, bytes, (size_t)size);
    path[size] = '\0';
    return true;
}

static bool s_get_file (reader_t *self, tree_t *tree)
{
    tree_file_t file;
    uint8_t type, executable;
    if (!s_get_byte (self, &type) || type != 0x94 || !s_get_path (self, file.path) ||
        !s_get_byte (self, &executable) || executable > 1 || !s_get_digest (self, &file.content) ||
        !s_get_number (self, &file.size))
        return false;
    return tree_add (tree, file.path, executable == 1, &file.content, file.size) == 0;
}

static bool s_get_tree (reader_t *self, tree_t *tree, digest_t *evaluator)
{
    uint8_t type;
    uint64_t count;
    if (!s_get_byte (self, &type) || type != 0x92 || !s_get_digest (self, evaluator) ||
        !s_get_byte (self, &type))
        return false;
    if (type >= 0x90 && type <= 0x9f)
        count = type & 0x0fu;
    else if (type != 0xdc || !s_get_big_endian (self, 2, &count))
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!s_get_file (self, tree)) /* tree_add refuses beyond LIMIT_FILES */
            return false;
    return self->left == 0;
}

int tree_decode (const uint8_t *bytes, size_t size, tree_t *tree, digest_t *evaluator)
{
    reader_t reader = {bytes, size};
    tree_t read = {NULL, 0};
    digest_t id;
    uint8_t *again = NULL;
    size_t again_size = 0;
    memset (tree, 0, sizeof *tree);
    if (s_get_tree (&reader, &read, &id))
        again = tree_encode (&read, &id, &again_size);
    /* One tree has one encoding: files in another order or longer forms of a number would give it a second id. */
    bool exact = again != NULL && again_size == size && memcmp (again, bytes, size) == 0;
    free (again);
    if (!exact) {
        tree_clear (&read);
        return ERROR_MALFORMED;
    }
    *tree = read;
    *evaluator = id;
    return 0;
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
