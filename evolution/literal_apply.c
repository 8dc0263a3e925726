/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/literal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/decimal.h"

#define DIGITS_MIN 6    /* significant digits that people like to read */
#define DIGITS_MAX 17   /* those that tell any two doubles apart */
#define FINE       1e-4 /* as exact as this share of the range */

static double s_clamp (const literal_t *literal, double value)
{
    assert (isfinite (value));
    if (value < literal->minimum)
        return literal->minimum;
    return value > literal->maximum ? literal->maximum : value;
}

/* The value of a number's text, which may have a sign. */
static double s_value (const char *text)
{
    bool negative = text[0] == '-';
    decimal_t number = {0};
    bool found = decimal_scan (text + negative, strlen (text + negative), &number);
    assert (found);
    return negative ? -number.value : number.value;
}

/* Prints a real: as few digits as are fine enough, always with a point or an exponent, lest it become an integer. */
static void s_print_real (const literal_t *literal, double value, char text[LITERAL_TEXT_BYTES])
{
    for (int digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
        int length = snprintf (text, LITERAL_TEXT_BYTES, "%.*g", digits, value);
        assert (length > 0 && length + 3 < LITERAL_TEXT_BYTES);
        char *comma = strchr (text, ','); /* some locale's point */
        if (comma != NULL)
            *comma = '.';
        if (strpbrk (text, ".e") == NULL)
            memcpy (text + length, ".0", 3);
        double printed = s_value (text);
        bool inside = printed >= literal->minimum && printed <= literal->maximum;
        double fine = FINE * (literal->logarithmic ? fabs (value) : literal->maximum - literal->minimum);
        if (inside && fabs (printed - value) <= fine)
            return;
    }
}

static size_t s_choice (const literal_t *literal, double value)
{
    assert (value >= 0 && value < (double)literal->choice_count);
    return (size_t)value;
}

bool literal_same (const literal_t *literal, double value)
{
    assert (literal);
    if (literal->kind == LITERAL_CHOICE)
        return s_choice (literal, value) == literal->choice;
    return value == literal->value;
}

size_t literal_print (const char *text, const literal_t *literal, double value, char out[LITERAL_TEXT_BYTES])
{
    assert (literal->kind != LITERAL_CHOICE);
    if (literal_same (literal, value) && literal->length < LITERAL_TEXT_BYTES) {
        memcpy (out, text + literal->offset, literal->length);
        out[literal->length] = '\0';
    } else if (literal->kind == LITERAL_INTEGER) {
        snprintf (out, LITERAL_TEXT_BYTES, "%.0f", s_clamp (literal, floor (value + 0.5)));
    } else {
        s_print_real (literal, s_clamp (literal, value), out);
    }
    return strlen (out);
}

double literal_rounded (const literal_t *literal, double value)
{
    assert (literal);
    if (literal->kind == LITERAL_CHOICE)
        return (double)s_choice (literal, value);
    if (literal_same (literal, value))
        return value;
    char text[LITERAL_TEXT_BYTES];
    literal_print (NULL, literal, value, text);
    return s_value (text);
}

/* The text that literal i is to have: its own, a choice's, or a number's in `buffer`. */
static const char *s_text (const char *text, const literal_t *literal, double value,
                           char buffer[LITERAL_TEXT_BYTES], size_t *length)
{
    *length = literal->length;
    if (literal_same (literal, value))
        return text + literal->offset;
    if (literal->kind == LITERAL_CHOICE) {
        size_t choice = s_choice (literal, value);
        *length = literal->choices[choice].length;
        return text + literal->choices[choice].offset;
    }
    *length = literal_print (text, literal, value, buffer);
    return buffer;
}

char *literals_apply (const char *text, size_t size, const literals_t *literals, const double *values,
                      size_t *new_size)
{
    /* A choice's text may be any length, so measure first, then write. */
    size_t room = size + 1;
    char buffer[LITERAL_TEXT_BYTES];
    size_t length;
    for (size_t i = 0; i < literals->count; i++) {
        s_text (text, &literals->items[i], values[i], buffer, &length);
        room += length + 1;
    }
    char *fresh = malloc (room);
    if (fresh == NULL)
        return NULL;
    size_t written = 0, read = 0;
    for (size_t i = 0; i < literals->count; i++) {
        const literal_t *literal = &literals->items[i];
        assert (literal->offset >= read && literal->offset + literal->length <= size);
        memcpy (fresh + written, text + read, literal->offset - read);
        written += literal->offset - read;
        const char *piece = s_text (text, literal, values[i], buffer, &length);
        if (written > 0 && fresh[written - 1] == '-' && piece[0] == '-')
            fresh[written++] = ' '; /* a - -1, where a--1 would be something else */
        memcpy (fresh + written, piece, length);
        written += length;
        read = literal->offset + literal->length;
    }
    memcpy (fresh + written, text + read, size - read);
    written += size - read;
    assert (written < room);
    fresh[written] = '\0';
    *new_size = written;
    return fresh;
}
