/* SPDX-License-Identifier: MPL-2.0 */
/* Runs a fuzz target without a fuzzer: replay_main CORPUS MUTATIONS. First every file of the corpus, then that many changed
 * ones, the same on every machine. After a failure, the input that failed is in PROGRAM.input. */
#include <assert.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "crypto/random.h"
#include "tests/fuzz/fuzz.h"

#define FILES_MAX 512
#define BYTES_MAX 65536
#define SEED      20250615

typedef struct {
    uint8_t *data;
    size_t size;
} input_t;

static int s_is_file (const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static input_t s_load (const char *directory, const char *name)
{
    char path[4096];
    input_t input = {malloc (BYTES_MAX), 0};
    snprintf (path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen (path, "rb");
    if (file == NULL || input.data == NULL) {
        fprintf (stderr, "%s: can't be read\n", path);
        exit (EXIT_FAILURE);
    }
    input.size = fread (input.data, 1, BYTES_MAX, file);
    fclose (file);
    return input;
}

/* The corpus, in the order of its names. Returns how many. */
static size_t s_load_all (const char *directory, input_t inputs[FILES_MAX])
{
    struct dirent **entries;
    int found = scandir (directory, &entries, s_is_file, alphasort);
    if (found <= 0 || found > FILES_MAX) {
        fprintf (stderr, "%s: found %d files, expected 1 to %d\n", directory, found, FILES_MAX);
        exit (EXIT_FAILURE);
    }
    for (int i = 0; i < found; i++) {
        inputs[i] = s_load (directory, entries[i]->d_name);
        free (entries[i]);
    }
    free (entries);
    return (size_t)found;
}

/* --- changes --- */

/* Moves the bytes behind `at` by `size`, to make room or to close a gap. */
static void s_insert (input_t *input, size_t at, const uint8_t *bytes, size_t size)
{
    size = size < BYTES_MAX - input->size ? size : BYTES_MAX - input->size;
    memmove (input->data + at + size, input->data + at, input->size - at);
    memcpy (input->data + at, bytes, size);
    input->size += size;
}

static void s_remove (input_t *input, size_t at, size_t size)
{
    size = size < input->size - at ? size : input->size - at;
    memmove (input->data + at, input->data + at + size, input->size - at - size);
    input->size -= size;
}

/* Changes one place. The interesting bytes are those that start msgpack's forms and their ends. */
static void s_change (random_t *random, input_t *input, const input_t *other)
{
    static const uint8_t interesting[] = {0x00, 0x7f, 0x80, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4,
                                          0xc6, 0xc7, 0xca, 0xcb, 0xcc, 0xcf, 0xd0, 0xd9, 0xdb, 0xdc,
                                          0xdd, 0xde, 0xe0, 0xf0, 0xff, 'a',  '1',  '7'};
    size_t at = (size_t)random_below (random, input->size + 1), size = (size_t)random_below (random, 40) + 1;
    uint8_t piece[40], byte = interesting[random_below (random, sizeof interesting)];
    random_bytes (random, piece, sizeof piece);
    switch (random_below (random, 6)) {
    case 0: s_insert (input, at, piece, size); break;
    case 1: s_remove (input, at, size); break;
    case 2: s_insert (input, at, &byte, 1); break;
    case 3:
        if (at < input->size)
            input->data[at] = byte;
        break;
    case 4:
        if (at < input->size)
            input->data[at] ^= (uint8_t)(1u << random_below (random, 8));
        break;
    default:
        if (other->size > 0) {
            size_t from = (size_t)random_below (random, other->size);
            s_insert (input, at, other->data + from, size < other->size - from ? size : other->size - from);
        }
    }
}

/* --- running --- */

/* Runs a copy that ends where the input's bytes end. Before, it is put into the file `fd`, where it stays after a crash. */
static void s_run (int fd, const input_t *input)
{
    uint8_t *copy = malloc (input->size + (input->size == 0));
    assert (copy != NULL);
    memcpy (copy, input->data, input->size);
    bool is_kept =
        pwrite (fd, copy, input->size, 0) == (ssize_t)input->size && ftruncate (fd, (off_t)input->size) == 0;
    assert (is_kept);
    LLVMFuzzerTestOneInput (copy, input->size);
    free (copy);
}

static void s_mutate (int fd, const input_t *inputs, size_t count, unsigned long mutations)
{
    random_t random;
    input_t input = {malloc (BYTES_MAX), 0};
    assert (input.data != NULL);
    random_init_number (&random, SEED);
    for (unsigned long i = 0; i < mutations; i++) {
        const input_t *seed = &inputs[random_below (&random, count)];
        memcpy (input.data, seed->data, seed->size);
        input.size = seed->size;
        for (uint64_t changes = random_below (&random, 4) + 1; changes > 0; changes--)
            s_change (&random, &input, &inputs[random_below (&random, count)]);
        s_run (fd, &input);
    }
    free (input.data);
}

int main (int argc, char **argv)
{
    static input_t inputs[FILES_MAX];
    if (argc != 3) {
        fprintf (stderr, "usage: %s CORPUS MUTATIONS\n", argv[0]);
        return 2;
    }
    char kept[4096];
    snprintf (kept, sizeof kept, "%s.input", argv[0]);
    int fd = open (kept, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        perror (kept);
        return EXIT_FAILURE;
    }
    size_t count = s_load_all (argv[1], inputs);
    for (size_t i = 0; i < count; i++)
        s_run (fd, &inputs[i]);
    s_mutate (fd, inputs, count, strtoul (argv[2], NULL, 10));
    for (size_t i = 0; i < count; i++)
        free (inputs[i].data);
    close (fd);
    unlink (kept);
    printf ("%zu files and %s changed ones\n", count, argv[2]);
    return EXIT_SUCCESS;
}
