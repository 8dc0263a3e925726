/* SPDX-License-Identifier: MPL-2.0 */
/* A packing as it stands in packing.txt, in whole numbers: what is checked in them is exact. The evaluator
 * and the proposer share this file.
 *
 * The text has a line for each circle, "x y r", each number as "0." and 1 to 15 digits. Lines that start
 * with # are remarks. The unit is the last of these digits, so the square's side is 10^15 of them. */
#ifndef CIRCLE_PACKING_PACKING_H
#define CIRCLE_PACKING_PACKING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CIRCLES    26
#define DIGITS     15
#define SIDE       INT64_C (1000000000000000)
#define LINE_BYTES 256

__extension__ typedef __int128 square_t; /* the square of a length does not fit in 64 bits */

typedef struct {
    int64_t x;
    int64_t y;
    int64_t r;
} circle_t;

/* Touching is allowed, a unit less is not. */
static inline bool circles_overlap (const circle_t *a, const circle_t *b)
{
    square_t dx = a->x - b->x, dy = a->y - b->y, radii = a->r + b->r;
    return dx * dx + dy * dy < radii * radii;
}

static inline bool circle_sticks_out (const circle_t *self)
{
    return self->x < self->r || self->x > SIDE - self->r || self->y < self->r || self->y > SIDE - self->r;
}

static inline int64_t packing_sum (const circle_t circles[CIRCLES])
{
    int64_t sum = 0;
    for (int i = 0; i < CIRCLES; i++)
        sum += circles[i].r;
    return sum;
}

/* Reads one number, moves `*at` behind it and the spaces that follow. */
static inline bool packing_read_number (const char **at, int64_t *value)
{
    if (strncmp (*at, "0.", 2) != 0)
        return false;
    const char *digit = *at + 2;
    int64_t unit = SIDE;
    for (*value = 0; *digit >= '0' && *digit <= '9'; digit++) {
        unit /= 10;
        if (unit == 0)
            return false;
        *value += (*digit - '0') * unit;
    }
    bool some = digit > *at + 2;
    *at = digit + strspn (digit, " ");
    return some;
}

/* Reads the file's circles. Returns NULL, or what is wrong; `*line` is then where. */
static inline const char *packing_read (FILE *file, circle_t circles[CIRCLES], int *line)
{
    char text[LINE_BYTES];
    int count = 0;
    for (*line = 1; fgets (text, sizeof text, file) != NULL; ++*line) {
        size_t length = strlen (text);
        if (length == 0 || text[length - 1] != '\n')
            return "too long, or without its end";
        if (text[0] == '#')
            continue;
        if (count == CIRCLES)
            return "one circle too many";
        circle_t *circle = &circles[count++];
        const char *at = text;
        if (!packing_read_number (&at, &circle->x) || !packing_read_number (&at, &circle->y) ||
            !packing_read_number (&at, &circle->r) || *at != '\n')
            return "expected three numbers, each \"0.\" and 1 to 15 digits";
    }
    return count == CIRCLES ? NULL : "the end, and circles are missing";
}

#endif
