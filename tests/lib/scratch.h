/* SPDX-License-Identifier: MPL-2.0 */
/* A directory of a test's own below $TMPDIR or /tmp, and the small things that tests do with files. */
#ifndef EVOMESH_TESTS_LIB_SCRATCH_H
#define EVOMESH_TESTS_LIB_SCRATCH_H

#include <check.h>
#include <fts.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_PATH_BYTES 512

typedef struct {
    char path[128];
} scratch_t;

static inline scratch_t scratch_new (void)
{
    scratch_t self;
    const char *base = getenv ("TMPDIR");
    int size = snprintf (self.path, sizeof self.path, "%s/evomesh-test-XXXXXX", base == NULL ? "/tmp" : base);
    ck_assert (size > 0 && size < (int)sizeof self.path);
    ck_assert_ptr_nonnull (mkdtemp (self.path));
    return self;
}

static inline void scratch_remove (const scratch_t *self)
{
    char path[sizeof self->path];
    memcpy (path, self->path, sizeof path);
    char *roots[] = {path, NULL};
    FTS *walk = fts_open (roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    ck_assert_ptr_nonnull (walk);
    for (FTSENT *entry = fts_read (walk); entry != NULL; entry = fts_read (walk))
        if (entry->fts_info != FTS_D)
            ck_assert_msg (remove (entry->fts_accpath) == 0, "can't remove %s", entry->fts_path);
    fts_close (walk);
}

typedef struct {
    char text[SCRATCH_PATH_BYTES];
} scratch_path_t;

/* A path below the directory. */
__attribute__ ((format (printf, 2, 3))) static inline scratch_path_t scratch_path (const scratch_t *self,
                                                                                   const char *format, ...)
{
    scratch_path_t path;
    int size = snprintf (path.text, sizeof path.text, "%s/", self->path);
    va_list arguments;
    va_start (arguments, format);
    int more = vsnprintf (path.text + size, sizeof path.text - (size_t)size, format, arguments);
    va_end (arguments);
    ck_assert (more >= 0 && (size_t)(size + more) < sizeof path.text);
    return path;
}

/* Writes a file, making the directories that lead to it. */
static inline void scratch_write_bytes (const scratch_t *self, const char *name, const void *bytes,
                                        size_t size)
{
    scratch_path_t path = scratch_path (self, "%s", name);
    for (char *slash = strchr (path.text + strlen (self->path) + 1, '/'); slash != NULL;
         slash = strchr (slash + 1, '/')) {
        *slash = '\0';
        mkdir (path.text, 0755);
        *slash = '/';
    }
    FILE *file = fopen (path.text, "wb");
    ck_assert_msg (file != NULL, "can't write %s", path.text);
    ck_assert_uint_eq (fwrite (bytes, 1, size, file), size);
    ck_assert_int_eq (fclose (file), 0);
}

static inline void scratch_write (const scratch_t *self, const char *name, const char *text)
{
    scratch_write_bytes (self, name, text, strlen (text));
}

/* What a file holds, malloc'ed and terminated; NULL if it can't be read. */
static inline char *scratch_read (const scratch_t *self, const char *name)
{
    scratch_path_t path = scratch_path (self, "%s", name);
    FILE *file = fopen (path.text, "rb");
    if (file == NULL)
        return NULL;
    size_t capacity = 1 << 20, size;
    char *text = malloc (capacity + 1);
    ck_assert_ptr_nonnull (text);
    size = fread (text, 1, capacity, file);
    ck_assert_uint_lt (size, capacity);
    text[size] = '\0';
    fclose (file);
    return text;
}

/* Fails unless a file holds exactly `text`. */
static inline void scratch_expect (const scratch_t *self, const char *name, const char *text)
{
    char *found = scratch_read (self, name);
    ck_assert_msg (found != NULL, "%s is missing", name);
    ck_assert_str_eq (found, text);
    free (found);
}

#endif
