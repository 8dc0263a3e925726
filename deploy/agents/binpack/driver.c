/* SPDX-License-Identifier: MPL-2.0 */
/* Runs the candidate: answers the evaluator's questions by calling priority () for every bin that fits, a
 * new one among them.
 *
 *   question (descriptor 0)  words in all, then for each packing: item, bins, the rest of each bin
 *   answer (descriptor 3)    for each of them: which of its bins, or NO_NUMBER
 *
 * All are 16-bit words. It shares its process with the candidate, so the evaluator believes none of it: an
 * answer chooses a bin, and can do no more. */
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define CAPACITY  150
#define WORDS_MAX 60000
#define NO_NUMBER 0xffff

double priority (int item, int remaining, int capacity);

static uint16_t s_question[WORDS_MAX];
static uint16_t s_answer[WORDS_MAX];

/* The bin of highest priority; among equals the one that was opened first. */
static uint16_t s_choose (int item, const uint16_t *remaining, size_t count)
{
    uint16_t best = 0;
    double highest = 0;
    for (size_t i = 0; i < count; i++) {
        double value = priority (item, remaining[i], CAPACITY);
        if (value != value)
            return NO_NUMBER;
        if (i == 0 || value > highest) {
            highest = value;
            best = (uint16_t)i;
        }
    }
    return best;
}

/* Reads one question. Returns its words, 0 at the end. */
static size_t s_read (void)
{
    size_t held = 0;
    for (;;) {
        ssize_t more = read (0, (char *)s_question + held, sizeof s_question - held);
        if (more <= 0)
            return 0;
        held += (size_t)more;
        if (held >= sizeof *s_question && held >= s_question[0] * sizeof *s_question)
            return s_question[0];
    }
}

int main (void)
{
    size_t words = 0;
    while ((words = s_read ()) > 0) {
        size_t answers = 0;
        for (size_t at = 1; at + 2 <= words; at += 2u + s_question[at + 1])
            s_answer[answers++] = s_choose (s_question[at], s_question + at + 2, s_question[at + 1]);
        if (write (3, s_answer, answers * sizeof *s_answer) < 0)
            return 1;
    }
    return 0;
}

/* Last, so that nothing in it changes what stands above. */
#include "priority.c"
