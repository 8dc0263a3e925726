/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/llm_desk.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

typedef struct {
    scratch_t scratch;
    config_t config;
    workshop_t workshop;
    llm_desk_t *desk;
} desk_rig_t;

static desk_rig_t *s_rig_new (void)
{
    problem_t problem = {""};
    desk_rig_t *self = calloc (1, sizeof *self);
    ck_assert_ptr_nonnull (self);
    self->scratch = scratch_new ();
    config_defaults (&self->config, 1);
    self->workshop.config = &self->config;
    self->workshop.store = store_open (self->scratch.path, true, false, &problem);
    ck_assert_msg (self->workshop.store != NULL, "%s", problem.text);
    self->desk = llm_desk_new (&self->workshop);
    ck_assert_ptr_nonnull (self->desk);
    return self;
}

static void s_rig_destroy (desk_rig_t *self)
{
    llm_desk_destroy (&self->desk);
    store_close (&self->workshop.store);
    scratch_remove (&self->scratch);
    free (self);
}

/* What counts of a proposal that was allowed 3 requests, 4000 tokens and 50 millionths, and printed this. */
static spending_t s_settle (desk_rig_t *rig, const char *output)
{
    static const llm_model_t model;
    llm_order_t order = {.model = &model, .allowed = {3, 4000, 50}};
    return llm_desk_settle (rig->desk, &order, output, output == NULL ? 0 : strlen (output), NULL);
}

#define ASSERT_SPENT(spent, r, t, c)                  \
    do {                                              \
        spending_t found = spent;                     \
        ck_assert_uint_eq (found.requests, r);        \
        ck_assert_uint_eq (found.tokens, t);          \
        ck_assert_uint_eq (found.cost_millionths, c); \
    } while (0)

START_TEST (what_is_told_is_what_counts)
{
    desk_rig_t *rig = s_rig_new ();
    ASSERT_SPENT (s_settle (rig, "{\"spent\": {\"requests\": 9, \"tokens\": 9, \"cost_millionths\": 9}}\n"
                                 "{\"spent\": {\"requests\": 1, \"tokens\": 70, \"cost_millionths\": 0}}\n"),
                  1, 70, 0);
    ASSERT_SPENT (s_settle (rig, ""), 0, 0, 0);
    ASSERT_SPENT (s_settle (rig, NULL), 3, 4000, 50);
    s_rig_destroy (rig);
}
END_TEST

START_TEST (what_is_no_count_counts_as_all_that_was_allowed)
{
    desk_rig_t *rig = s_rig_new ();
    ASSERT_SPENT (
        s_settle (
            rig, "{\"spent\": {\"requests\": 1, \"tokens\": -9223372036854775808, \"cost_millionths\": -1}}"),
        1, 4000, 50);
    ASSERT_SPENT (s_settle (rig, "{\"spent\": {\"requests\": \"1\", \"tokens\": 1.5}}"), 3, 4000, 50);
    s_rig_destroy (rig);
}
END_TEST

START_TEST (a_count_beyond_all_bounds_leaves_nothing_and_is_reported_as_such)
{
    desk_rig_t *rig = s_rig_new ();
    static const char output[] = "{\"spent\": {\"requests\": 1, \"tokens\": 9223372036854775807, "
                                 "\"cost_millionths\": 9223372036854775807}}";
    for (int i = 0; i < 3; i++) /* beyond what JSON's integers hold, and then beyond 64 bits */
        s_settle (rig, output);
    json_t *report = llm_desk_report (rig->desk), *spent = json_object_get (report, "spent");
    ck_assert_int_eq (json_integer_value (json_object_get (spent, "requests")), 3);
    ck_assert_int_eq (json_integer_value (json_object_get (spent, "tokens")), INT64_MAX);
    ck_assert_int_eq (json_integer_value (json_object_get (spent, "cost_millionths")), INT64_MAX);
    json_decref (report);
    s_rig_destroy (rig);
}
END_TEST

SUITE_MAIN ("llm_desk", what_is_told_is_what_counts, what_is_no_count_counts_as_all_that_was_allowed,
            a_count_beyond_all_bounds_leaves_nothing_and_is_reported_as_such)
