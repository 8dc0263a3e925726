/* SPDX-License-Identifier: MPL-2.0 */
/* Benchmarks: what is measured, beside its reference of the same run and its aim; also where it misses. Times are in
 * milliseconds. Whatever keeps a bench from measuring ends the program with a line that says so. */
#ifndef EVOMESH_TESTS_BENCH_BENCH_H
#define EVOMESH_TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the program with exit code 1 and this line. */
_Noreturn void bench_fail (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* Monotonic, with the resolution of the machine's clock. */
double bench_now_ms (void);

/* --- samples: zero-initialise; samples_clear frees --- */
typedef struct {
    double *values;
    size_t count;
    size_t capacity;
} samples_t;
void samples_add (samples_t *self, double value);
/* The value that this share of the samples doesn't exceed (0.5: the median); sorts them. There must be one (asserted). */
double samples_quantile (samples_t *self, double share);
void samples_clear (samples_t *self);

/* --- a directory of the bench's own --- */
typedef struct {
    char path[128];
} place_t;
/* Below $TMPDIR or /tmp, or, `in_memory`, below /dev/shm. */
place_t place_new (bool in_memory);
void place_remove (const place_t *self);

/* Overwrites `bytes` of a file in `place` and waits until they are on the disk, `count` times: what a commit costs at least. */
void bench_sync (const place_t *place, size_t bytes, size_t count, samples_t *samples);

/* Runs a program to its end with its output thrown away; it must exit with 0. `arguments` ends with NULL. */
void bench_run (const char *const arguments[]);

/* "reached" or "MISSED", which is counted: with one missed the whole ends with 1. */
const char *bench_verdict (bool reached);

/* --- the benches; each prints its table --- */
void bench_loop (void);
void bench_round (void);
void bench_idle (void);
void bench_sandbox (void);
void bench_limits (void);
void bench_tune (void);
void bench_noise (void);

#endif
