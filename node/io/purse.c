/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/purse.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/record.h"

#define PURSE_SETTING "llm_purse"
#define MILLION       1e6

#define PURSE_ROW_FIELDS(F, L, R)    \
    F (R, UINT, spent_requests, 0)   \
    F (R, UINT, spent_tokens, 0)     \
    F (R, UINT, spent_millionths, 0) \
    F (R, UINT, aside_requests, 0)   \
    F (R, UINT, aside_tokens, 0)     \
    F (R, UINT, aside_millionths, 0)
RECORD_STRUCT (purse_row, PURSE_ROW_FIELDS);
RECORD_TABLE (purse_row, PURSE_ROW_FIELDS);

static int s_write (const purse_t *self)
{
    purse_row_t row = {self->spent.requests, self->spent.tokens, self->spent.cost_millionths,
                       self->aside.requests, self->aside.tokens, self->aside.cost_millionths};
    buffer_t bytes = {0};
    record_encode (&purse_row_record, &row, &bytes);
    int rc =
        bytes.failed ? ERROR_MEMORY : store_setting_put (self->store, PURSE_SETTING, bytes.data, bytes.size);
    buffer_clear (&bytes);
    return rc;
}

int purse_open (purse_t *self, store_t *store, const spending_t *caps, problem_t *problem)
{
    assert (self != NULL && store != NULL && caps != NULL);
    *self = (purse_t){.store = store, .caps = *caps};
    size_t size;
    uint8_t *bytes = store_setting_get (store, PURSE_SETTING, &size);
    if (bytes == NULL)
        return 0;
    purse_row_t row;
    arena_t arena = {0};
    int rc = record_decode (&purse_row_record, bytes, size, &row, &arena, problem);
    arena_clear (&arena);
    free (bytes);
    if (rc != 0)
        return problem_prefix (problem, "what was spent on models");
    spending_t spent = {row.spent_requests, row.spent_tokens, row.spent_millionths};
    spending_t lost = {row.aside_requests, row.aside_tokens, row.aside_millionths};
    self->spent = spending_sum (&spent, &lost);
    return 0;
}

spending_t purse_left (const purse_t *self)
{
    spending_t gone = spending_sum (&self->spent, &self->aside);
    return spending_left (&self->caps, &gone);
}

/* A cap of 0 is none, so what is left of it is never 0. */
static bool s_is_nothing (const spending_t *left)
{
    return left->requests == 0 || left->tokens == 0 || left->cost_millionths == 0;
}

bool purse_is_empty (const purse_t *self)
{
    spending_t left = spending_left (&self->caps, &self->spent);
    return s_is_nothing (&left);
}

bool purse_is_held (const purse_t *self)
{
    spending_t left = purse_left (self);
    return !purse_is_empty (self) && s_is_nothing (&left);
}

int purse_set_aside (purse_t *self, const spending_t *wanted, spending_t *allowed, problem_t *problem)
{
    spending_t left = purse_left (self), before = self->aside;
    *allowed = spending_least (wanted, &left);
    assert (spending_fits (allowed, &left) && spending_fits (allowed, wanted));
    self->aside = spending_sum (&self->aside, allowed);
    if (s_write (self) == 0)
        return 0;
    self->aside = before;
    return problem_set (problem, "%s", store_problem (self->store));
}

void purse_settle (purse_t *self, const spending_t *allowed, const spending_t *spent)
{
    self->aside = spending_less (&self->aside, allowed);
    self->spent = spending_sum (&self->spent, spent);
    (void)s_write (self);
}

static int s_print_one (char *text, size_t size, uint64_t spent, uint64_t cap, const char *what)
{
    return cap > 0 ? snprintf (text, size, "%llu of %s, ", (unsigned long long)spent,
                               text_counted (cap, what).text)
                   : snprintf (text, size, "%s, ", text_counted (spent, what).text);
}

void purse_print (const purse_t *self, char *text, size_t size)
{
    assert (text != NULL && size > 0);
    char requests[80], tokens[80], cost[80] = "";
    s_print_one (requests, sizeof requests, self->spent.requests, self->caps.requests, "request");
    s_print_one (tokens, sizeof tokens, self->spent.tokens, self->caps.tokens, "token");
    if (self->caps.cost_millionths > 0)
        snprintf (cost, sizeof cost, " of %.2f", (double)self->caps.cost_millionths / MILLION);
    snprintf (text, size, "%s%s%.4f%s", requests, tokens, (double)self->spent.cost_millionths / MILLION,
              cost);
}
