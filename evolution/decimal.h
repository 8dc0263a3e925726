/* SPDX-License-Identifier: MPL-2.0 */
/* Decimal numbers in text, without the C library's locale: the same bits on every machine. */
#ifndef EVOMESH_EVOLUTION_DECIMAL_H
#define EVOMESH_EVOLUTION_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    double value;  /* may be infinite if the text says so much */
    size_t length; /* characters that it takes */
    bool real;     /* written with a point or an exponent */
} decimal_t;

/* digits × 10^exponent: correctly rounded for digits < 2^53 and |exponent| <= 22, else within a few units in the
 * last place. */
double decimal_value (uint64_t digits, int exponent);

/* Reads the unsigned number at the start of the text: digits, point, exponent, as far as they go. A point that another
 * point follows is not part of it ("0..1"). Returns false if there is none. */
bool decimal_scan (const char *text, size_t size, decimal_t *number);

#endif
