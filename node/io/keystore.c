/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* O_CLOEXEC, MAP_ANONYMOUS */
#include "node/io/keystore.h"

#include "crypto/keyfile.h"
#include "node/io/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define FILE_NAME            "identity"
#define PASSPHRASE_VARIABLE  "EVOMESH_PASSPHRASE_FILE"
#define PASSPHRASE_BYTES_MAX 1024

/* Everything secret, in pages of its own: locking and unlocking then touches nothing else. */
struct keystore {
    identity_t identity;
    curve_t curve;
    keys_t seeds;                              /* while reading or writing only */
    uint8_t file[KEYFILE_BYTES_MAX];           /* likewise */
    char passphrase[PASSPHRASE_BYTES_MAX + 2]; /* likewise: a byte too many is noticed, and the terminator */
    bool is_locked;
};

static keystore_t *s_new (problem_t *problem)
{
    if (sodium_init () < 0) {
        problem_set (problem, "libsodium can't be started: no source of random bytes");
        return NULL;
    }
    keystore_t *self = mmap (NULL, sizeof *self, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (self == MAP_FAILED) {
        problem_set (problem, "out of memory");
        return NULL;
    }
    self->is_locked = sodium_mlock (self, sizeof *self) == 0; /* also keeps it out of core dumps */
    return self;
}

void keystore_destroy (keystore_t **self_p)
{
    assert (self_p != NULL);
    keystore_t *self = *self_p;
    if (self == NULL)
        return;
    sodium_munlock (self, sizeof *self); /* wipes it */
    munmap (self, sizeof *self);
    *self_p = NULL;
}

const identity_t *keystore_identity (const keystore_t *self)
{
    assert (self != NULL);
    return &self->identity;
}

const curve_t *keystore_curve (const keystore_t *self)
{
    assert (self != NULL);
    return &self->curve;
}

bool keystore_is_locked_in_memory (const keystore_t *self)
{
    assert (self != NULL);
    return self->is_locked;
}

void keystore_random (void *out, size_t size)
{
    int started = sodium_init ();
    assert (started >= 0);
    randombytes_buf (out, size);
}

/* Expands the seeds into keys and forgets what is no longer needed. */
static keystore_t *s_finish (keystore_t *self)
{
    identity_from_seed (self->seeds.identity_seed, &self->identity);
    curve_from_seed (self->seeds.curve_seed, &self->curve);
    sodium_memzero (&self->seeds, sizeof self->seeds);
    sodium_memzero (self->file, sizeof self->file);
    sodium_memzero (self->passphrase, sizeof self->passphrase);
    return self;
}

/* --- passphrase --- */

/* Reads the passphrase, if one is given; it stays empty if none is. Returns 0, or -1 with the problem. */
static int s_read_passphrase (keystore_t *self, const char *path, problem_t *problem)
{
    if (path == NULL)
        path = getenv (PASSPHRASE_VARIABLE);
    if (path == NULL)
        return 0;
    int file = open (path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return problem_set (problem, "%s: the passphrase can't be read: %s", path, strerror (errno));
    ssize_t size = read (file, self->passphrase, sizeof self->passphrase - 1);
    close (file);
    if (size < 0)
        return problem_set (problem, "%s: the passphrase can't be read: %s", path, strerror (errno));
    size_t length = strcspn (self->passphrase, "\r\n");
    memset (self->passphrase + length, 0, sizeof self->passphrase - length);
    if (length == 0)
        return problem_set (problem, "%s: the first line is empty, expected a passphrase", path);
    if (length > PASSPHRASE_BYTES_MAX)
        return problem_set (problem, "%s: the first line is longer than %d bytes", path,
                            PASSPHRASE_BYTES_MAX);
    return 0;
}

static const char *s_passphrase (const keystore_t *self)
{
    return self->passphrase[0] == '\0' ? NULL : self->passphrase;
}

/* --- writing --- */

/* Writes a file under another name and links it to its own, which fails if that is taken. */
static int s_write_file (const char *directory, const char *path, const uint8_t *bytes, size_t size,
                         problem_t *problem)
{
    char temporary[PATH_MAX];
    if (snprintf (temporary, sizeof temporary, "%s.new-XXXXXX", path) >= (int)sizeof temporary)
        return problem_set (problem, "%s: path too long", path);
    int file = mkostemp (temporary, O_CLOEXEC); /* mode 0600 */
    if (file < 0)
        return problem_set (problem, "%s: can't be written: %s", path, file_reason (errno));
    bool done = file_write_all (file, bytes, size) == 0 && fsync (file) == 0 && link (temporary, path) == 0;
    int saved = errno;
    close (file);
    unlink (temporary);
    if (!done && saved == EEXIST)
        return problem_set (problem, "%s: there already; keys are never replaced", path);
    if (!done || file_sync_directory (directory) != 0)
        return problem_set (problem, "%s: can't be written: %s", path, file_reason (done ? errno : saved));
    return 0;
}

static int s_create (keystore_t *self, const char *directory, const char *passphrase_file, problem_t *problem)
{
    char path[PATH_MAX];
    uint8_t salt[KEYFILE_SALT_BYTES], nonce[KEYFILE_NONCE_BYTES];
    size_t size;
    if (file_join (path, sizeof path, directory, FILE_NAME, problem) != 0 ||
        s_read_passphrase (self, passphrase_file, problem) != 0)
        return -1;
    randombytes_buf (&self->seeds, sizeof self->seeds);
    randombytes_buf (salt, sizeof salt);
    randombytes_buf (nonce, sizeof nonce);
    if (keyfile_encode (&self->seeds, s_passphrase (self), salt, nonce, self->file, &size) != KEYFILE_OK)
        return problem_set (problem, "%s: no memory to derive its key from the passphrase (64 MiB)", path);
    return s_write_file (directory, path, self->file, size, problem);
}

keystore_t *keystore_create (const char *directory, const char *passphrase_file, problem_t *problem)
{
    keystore_t *self = s_new (problem);
    if (self == NULL)
        return NULL;
    if (s_create (self, directory, passphrase_file, problem) == 0)
        return s_finish (self);
    keystore_destroy (&self);
    return NULL;
}

/* --- reading --- */

/* Reads the file into `self->file`. Returns how many bytes, or -1 with the problem. */
static ssize_t s_read_file (keystore_t *self, const char *path, problem_t *problem)
{
    int file = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0 && errno == ENOENT)
        return problem_set (problem, "%s: not found: run `evomesh init`", path);
    if (file < 0)
        return problem_set (problem, "%s: can't be opened: %s", path, strerror (errno));
    struct stat status;
    ssize_t size = -1;
    if (fstat (file, &status) != 0)
        problem_set (problem, "%s: %s", path, strerror (errno));
    else if (!S_ISREG (status.st_mode))
        problem_set (problem, "%s: expected a regular file", path);
    else if (status.st_uid != geteuid ())
        problem_set (problem, "%s: belongs to user %u, and this is user %u", path, (unsigned)status.st_uid,
                     (unsigned)geteuid ());
    else if ((status.st_mode & 0177) != 0)
        problem_set (problem, "%s: others may use this key (mode %04o), expected 0600: run `chmod 600 %s`",
                     path, (unsigned)status.st_mode & 07777, path);
    else if (status.st_size > KEYFILE_BYTES_MAX)
        problem_set (problem, "%s: %lld bytes, too large for a key file", path, (long long)status.st_size);
    else if ((size = read (file, self->file, sizeof self->file)) < 0)
        problem_set (problem, "%s: can't be read: %s", path, strerror (errno));
    close (file);
    return size;
}

static int s_explain (keyfile_result_t result, const char *path, problem_t *problem)
{
    switch (result) {
    case KEYFILE_OK: return 0;
    case KEYFILE_MALFORMED:
        return problem_set (problem, "%s: not a key file, or damaged: restore it from a backup", path);
    case KEYFILE_VERSION:
        return problem_set (problem, "%s: written by a later evomesh, which it takes to read it", path);
    case KEYFILE_NEEDS_PASSPHRASE:
        return problem_set (problem, "%s: locked by a passphrase: name a file that holds it in %s", path,
                            PASSPHRASE_VARIABLE);
    case KEYFILE_WRONG_PASSPHRASE:
        return problem_set (problem, "%s: wrong passphrase, or the file was altered", path);
    case KEYFILE_MEMORY:
        return problem_set (problem, "%s: no memory to derive its key from the passphrase (64 MiB)", path);
    }
    assert (false);
    return -1;
}

static int s_load (keystore_t *self, const char *directory, const char *passphrase_file, problem_t *problem)
{
    char path[PATH_MAX];
    if (file_join (path, sizeof path, directory, FILE_NAME, problem) != 0)
        return -1;
    ssize_t size = s_read_file (self, path, problem);
    if (size < 0)
        return -1;
    if (keyfile_is_locked (self->file, (size_t)size) &&
        s_read_passphrase (self, passphrase_file, problem) != 0)
        return -1;
    return s_explain (keyfile_decode (self->file, (size_t)size, s_passphrase (self), &self->seeds), path,
                      problem);
}

keystore_t *keystore_load (const char *directory, const char *passphrase_file, problem_t *problem)
{
    keystore_t *self = s_new (problem);
    if (self == NULL)
        return NULL;
    if (s_load (self, directory, passphrase_file, problem) == 0)
        return s_finish (self);
    keystore_destroy (&self);
    return NULL;
}
