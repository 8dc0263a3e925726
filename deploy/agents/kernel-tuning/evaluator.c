/* SPDX-License-Identifier: MPL-2.0 */
/* The evaluator of kernel-tuning: gives pairs of matrices to the candidate, takes its time, and compares
 * every entry of every product with its own.
 *
 *   evaluator SEED_FILE CODE_BYTES DIRECTORY COMMAND…    the result of what COMMAND runs;
 *                                                       questions and answers lie in DIRECTORY
 *
 * The entries are whole numbers, and small enough that a double holds each sum exactly, in whatever order
 * it is added up: so the answer must be right to the last bit, and there is no tolerance that could be
 * used up. Each pair is another one, so none can be answered from memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "matrix.h"

#define PRODUCTS  12
#define ENTRY_MAX ((1 << 20) - 1) /* of either sign; SIZE products of two of them stay below 2^53 */
#define SECONDS   12 /* of wall time for the candidate, 3 of them on a processor: the machine may be busy */

_Static_assert((double)SIZE *ENTRY_MAX *ENTRY_MAX < 0x1p53, "every sum is exact");

static double s_pairs[PRODUCTS][2][ENTRIES];
static double s_answers[PRODUCTS][ENTRIES];
static pid_t s_candidate;
static volatile sig_atomic_t s_late;

/* --- endings --- */

/* Our own fault, or the machine's: no result. */
__attribute__ ((format (printf, 1, 2), noreturn)) static void s_fail (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    fprintf (stderr, "kernel-tuning: ");
    vfprintf (stderr, format, arguments);
    fprintf (stderr, "\n");
    exit (EXIT_FAILURE);
}

/* The candidate's fault: a result that says so. */
__attribute__ ((format (printf, 1, 2), noreturn)) static void s_invalid (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    printf ("{\"valid\": false, \"error\": \"");
    vprintf (format, arguments);
    printf ("\"}\n");
    exit (EXIT_SUCCESS);
}

/* --- questions --- */

/* The stream's start: FNV-1a over the seed's digits. */
static uint64_t s_read_seed (const char *path)
{
    char text[128] = "";
    uint64_t hash = UINT64_C (0xcbf29ce484222325);
    FILE *file = fopen (path, "r");
    if (file == NULL)
        s_fail ("%s: %s; put a secret number there: 16 or more hexadecimal digits", path, strerror (errno));
    size_t size = fread (text, 1, sizeof text - 1, file);
    fclose (file);
    size_t digits = strspn (text, "0123456789abcdefABCDEF");
    if (digits < 1 || digits + strspn (text + digits, " \r\n") != size)
        s_fail ("%s: expected hexadecimal digits", path);
    for (size_t i = 0; i < digits; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C (0x100000001b3);
    return hash;
}

/* SplitMix64. That a candidate could work out what comes next does no harm: it is given all of it at once. */
static uint64_t s_random (uint64_t *state)
{
    uint64_t z = *state += UINT64_C (0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void s_make (uint64_t seed)
{
    double *entries = &s_pairs[0][0][0];
    for (size_t i = 0; i < sizeof s_pairs / sizeof *entries; i++)
        entries[i] = (double)(s_random (&seed) % (2 * ENTRY_MAX + 1)) - ENTRY_MAX;
}

static int s_write_questions (const char *directory)
{
    char path[512];
    snprintf (path, sizeof path, "%s/questions", directory);
    int file = open (path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 || write (file, s_pairs, sizeof s_pairs) != (ssize_t)sizeof s_pairs ||
        lseek (file, 0, SEEK_SET) != 0)
        s_fail ("%s: %s", path, strerror (errno));
    return file;
}

/* --- the candidate's process --- */

static void s_on_alarm (int number)
{
    (void)number;
    s_late = 1;
    kill (s_candidate, SIGKILL);
}

/* In the child: the files in their places, and nothing else of ours but the command. */
__attribute__ ((noreturn)) static void s_become (int questions, int answers, char **command)
{
    int nowhere = open ("/dev/null", O_WRONLY);
    if (dup2 (questions, 0) < 0 || dup2 (answers, 1) < 0 || dup2 (nowhere, 2) < 0)
        _exit (126);
    close_range (3, ~0u, 0);
    execv (command[0], command);
    _exit (127);
}

/* Runs it to its end. Returns its processor time in microseconds, user and system. */
static double s_run (int questions, int answers, char **command)
{
    int status = 0;
    struct rusage usage;
    s_candidate = fork ();
    if (s_candidate < 0)
        s_fail ("fork: %s", strerror (errno));
    if (s_candidate == 0)
        s_become (questions, answers, command);
    sigaction (SIGALRM, &(struct sigaction){.sa_handler = s_on_alarm, .sa_flags = SA_RESTART}, NULL);
    alarm (SECONDS);
    if (wait4 (s_candidate, &status, 0, &usage) < 0)
        s_fail ("wait4: %s", strerror (errno));
    alarm (0);
    if (s_late)
        s_invalid ("the candidate took longer than %d s", SECONDS);
    if (WIFSIGNALED (status))
        s_invalid ("the candidate was ended by signal %d (%s)", WTERMSIG (status),
                   strsignal (WTERMSIG (status)));
    if (WEXITSTATUS (status) == 126 || WEXITSTATUS (status) == 127)
        s_fail ("the candidate could not be started (exit code %d)", WEXITSTATUS (status));
    if (WEXITSTATUS (status) != 0)
        s_invalid ("the candidate ended with exit code %d", WEXITSTATUS (status));
    return 1e6 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* --- judgement --- */

/* The product by its definition, in whole numbers, a row at a time. */
static void s_reference (const double *a, const double *b, int row, int64_t sums[SIZE])
{
    memset (sums, 0, SIZE * sizeof *sums);
    for (int k = 0; k < SIZE; k++)
        for (int column = 0; column < SIZE; column++)
            sums[column] += (int64_t)a[row * SIZE + k] * (int64_t)b[k * SIZE + column];
}

/* Where and not what: the entries are private. */
static void s_compare (int product)
{
    int64_t sums[SIZE];
    for (int row = 0; row < SIZE; row++) {
        s_reference (s_pairs[product][0], s_pairs[product][1], row, sums);
        for (int column = 0; column < SIZE; column++)
            if (!(s_answers[product][row * SIZE + column] == (double)sums[column]))
                s_invalid ("product %d is wrong in row %d, column %d", product + 1, row + 1, column + 1);
    }
}

static void s_judge (int answers)
{
    struct stat status;
    if (fstat (answers, &status) != 0)
        s_fail ("fstat: %s", strerror (errno));
    if (status.st_size != (off_t)sizeof s_answers)
        s_invalid ("the candidate wrote %lld bytes, expected %zu", (long long)status.st_size,
                   sizeof s_answers);
    if (pread (answers, s_answers, sizeof s_answers, 0) != (ssize_t)sizeof s_answers)
        s_fail ("pread: %s", strerror (errno));
    for (int i = 0; i < PRODUCTS; i++)
        s_compare (i);
}

int main (int argc, char **argv)
{
    char path[512];
    if (argc < 5)
        s_fail ("usage: evaluator SEED_FILE CODE_BYTES DIRECTORY COMMAND...");
    s_make (s_read_seed (argv[1]));
    int questions = s_write_questions (argv[3]);
    snprintf (path, sizeof path, "%s/answers", argv[3]);
    int answers = open (path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (answers < 0)
        s_fail ("%s: %s", path, strerror (errno));
    double us = s_run (questions, answers, argv + 4);
    s_judge (answers);
    printf ("{\"us_per_product\": %.6g, \"code_bytes\": %ld}\n", us / PRODUCTS, strtol (argv[2], NULL, 10));
    return EXIT_SUCCESS;
}
