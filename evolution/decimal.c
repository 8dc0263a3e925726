/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/decimal.h"

#include <assert.h>
#include <math.h>

#define EXACT_POWER_MAX 22 /* the last power of ten that a double holds exactly */
#define EXPONENT_MAX    9999
#define DIGITS_MAX      19 /* decimal digits that always fit 64 bits */

static const double s_powers[EXACT_POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double decimal_value (uint64_t digits, int exponent)
{
    double value = (double)digits;
    if (digits == 0)
        return 0;
    while (exponent > EXACT_POWER_MAX && isfinite (value)) {
        value *= s_powers[EXACT_POWER_MAX];
        exponent -= EXACT_POWER_MAX;
    }
    while (exponent < -EXACT_POWER_MAX && value > 0) {
        value /= s_powers[EXACT_POWER_MAX];
        exponent += EXACT_POWER_MAX;
    }
    if (exponent > EXACT_POWER_MAX || exponent < -EXACT_POWER_MAX)
        return value; /* infinite or zero already */
    return exponent < 0 ? value / s_powers[-exponent] : value * s_powers[exponent];
}

static bool s_digit (const char *text, size_t size, size_t at)
{
    return at < size && text[at] >= '0' && text[at] <= '9';
}

/* The number under way: the digits so far and the power of ten that belongs to them. */
typedef struct {
    uint64_t digits;
    unsigned held; /* significant digits in `digits` */
    int exponent;
} mantissa_t;

static void s_push (mantissa_t *mantissa, char digit, bool fraction)
{
    assert (digit >= '0' && digit <= '9');
    if (mantissa->held < DIGITS_MAX) {
        mantissa->digits = mantissa->digits * 10 + (uint64_t)(digit - '0');
        if (mantissa->digits > 0)
            mantissa->held++;
        mantissa->exponent -= fraction ? 1 : 0;
    } else if (!fraction && mantissa->exponent < EXPONENT_MAX) {
        mantissa->exponent++; /* more digits than fit: their number counts, not they */
    }
}

/* Reads e+12 at `at` into the mantissa; returns how many characters it takes, 0 if there is no exponent. */
static size_t s_exponent (const char *text, size_t size, size_t at, mantissa_t *mantissa)
{
    if (at >= size || (text[at] != 'e' && text[at] != 'E'))
        return 0;
    size_t next = at + 1;
    bool negative = next < size && text[next] == '-';
    if (next < size && (text[next] == '-' || text[next] == '+'))
        next++;
    if (!s_digit (text, size, next))
        return 0;
    int exponent = 0;
    for (; s_digit (text, size, next); next++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (text[next] - '0');
    assert (exponent >= 0 && exponent < 10 * EXPONENT_MAX + 10);
    mantissa->exponent += negative ? -exponent : exponent;
    return next - at;
}

bool decimal_scan (const char *text, size_t size, decimal_t *number)
{
    assert ((text != NULL || size == 0) && number != NULL);
    mantissa_t mantissa = {0};
    size_t at = 0;
    for (; s_digit (text, size, at); at++)
        s_push (&mantissa, text[at], false);
    bool whole = at > 0;
    bool point = at < size && text[at] == '.' && (at + 1 >= size || text[at + 1] != '.');
    if (!whole && !(point && s_digit (text, size, at + 1)))
        return false;
    if (point)
        for (at++; s_digit (text, size, at); at++)
            s_push (&mantissa, text[at], true);
    size_t exponent = s_exponent (text, size, at, &mantissa);
    at += exponent;
    assert (at <= size);
    *number = (decimal_t){.value = decimal_value (mantissa.digits, mantissa.exponent),
                          .length = at,
                          .real = point || exponent > 0};
    return true;
}
