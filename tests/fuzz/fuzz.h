/* SPDX-License-Identifier: MPL-2.0 */
/* What every fuzz target defines. libFuzzer calls it (preset `fuzz`); replay_main.c calls it in every other build. A promise
 * that doesn't hold aborts by assert. */
#ifndef EVOMESH_TESTS_FUZZ_FUZZ_H
#define EVOMESH_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Runs one input. Always returns 0. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#endif
