/* SPDX-License-Identifier: MPL-2.0 */
/* Measures a copy of one of our agents, some files of it replaced, as a node would: by its manifest, in a
 * sandbox. */
#ifndef EVOMESH_TESTS_INTEGRATION_BINPACK_AGENT_BENCH_H
#define EVOMESH_TESTS_INTEGRATION_BINPACK_AGENT_BENCH_H

#include "node/agent.h"
#include "tests/unit/io/sandbox_harness.h"

typedef struct {
    scratch_t scratch; /* holds agent/ and private/ */
    agent_t agent;
    harness_t harness;
} bench_t;

/* What one measurement gave. */
typedef struct {
    outcome_t outcome;
    bool valid;
    metrics_t metrics;
    char artifacts[2048];
    problem_t problem; /* why it isn't valid */
} measured_t;

static inline char *bench_read (const char *path)
{
    FILE *file = fopen (path, "rb");
    ck_assert_msg (file != NULL, "can't read %s", path);
    char *text = calloc (1, 65536);
    ck_assert_ptr_nonnull (text);
    ck_assert_uint_lt (fread (text, 1, 65535, file), 65535);
    fclose (file);
    return text;
}

/* Copies the `count` files of agent `name`, and reads its manifest. */
static inline bench_t bench_new (const char *name, const char *const *files, size_t count)
{
    bench_t self = {.scratch = scratch_new (), .harness = harness_new (false)};
    ck_assert_int_eq (chmod (self.scratch.path, 0755), 0);
    for (size_t i = 0; i < count; i++) {
        char from[512], to[64];
        struct stat status;
        snprintf (from, sizeof from, "%s/%s/%s", AGENTS, name, files[i]);
        snprintf (to, sizeof to, "agent/%s", files[i]);
        char *text = bench_read (from);
        scratch_write (&self.scratch, to, text);
        ck_assert_int_eq (stat (from, &status), 0);
        ck_assert_int_eq (chmod (scratch_path (&self.scratch, "%s", to).text, status.st_mode & 0777), 0);
        if (strcmp (files[i], AGENT_MANIFEST) == 0) {
            problem_t problem = {.text = ""};
            ck_assert_msg (agent_parse (files[i], text, strlen (text), &self.agent, &problem) == 0, "%s",
                           problem.text);
        }
        free (text);
    }
    ck_assert_uint_gt (self.agent.evaluator.count, 0);
    return self;
}

static inline void bench_destroy (bench_t *self)
{
    harness_destroy (&self->harness);
    scratch_remove (&self->scratch);
}

static inline measured_t bench_measure (bench_t *self)
{
    const char *command[AGENT_COMMAND_MAX + 1] = {NULL};
    for (size_t i = 0; i < self->agent.evaluator.count; i++)
        command[i] = self->agent.evaluator.words[i];
    scratch_path_t agent = scratch_path (&self->scratch, "agent");
    scratch_path_t private_data = scratch_path (&self->scratch, "private");
    mkdir (private_data.text, 0755);
    sandbox_job_t job = {.command = command,
                         .directory = "/agent",
                         .mounts = {{agent.text, "/agent", false}, {private_data.text, "/private", false}},
                         .mount_count = 2,
                         .timeout_ms = self->agent.timeout_ms,
                         .memory_bytes = self->agent.memory_bytes,
                         .processes_max = self->agent.processes_max,
                         .output_bytes = LIMIT_OUTPUT_BYTES};
    measured_t measured = {.outcome = harness_run_job (&self->harness, &job)};
    const outcome_t *outcome = &measured.outcome;
    ck_assert_uint_lt (outcome->result.output_size, sizeof outcome->output);
    if (outcome->result.end != SANDBOX_EXITED || outcome->result.exit_code != 0)
        problem_set (&measured.problem, "%s, exit code %d: %s", sandbox_end_name (outcome->result.end),
                     outcome->result.exit_code, outcome->error);
    else
        measured.valid =
            agent_read_result (&self->agent, outcome->output, outcome->result.output_size, &measured.metrics,
                               measured.artifacts, sizeof measured.artifacts, &measured.problem) == 0;
    return measured;
}

/* Fails unless the measurement gave metrics. */
static inline void bench_expect_valid (const measured_t *measured)
{
    ck_assert_msg (measured->valid, "%s\nstderr: %s", measured->problem.text, measured->outcome.error);
}

/* --- binpack --- */

static const char *const bench_binpack_files[] = {"agent.yaml", "evaluate", "evaluator.c", "driver.c",
                                                  "priority.c", "search",   "search.c"};

#define BENCH_SEED "5eed0000000000000000000000000001"

/* The sample agent with the seed above. */
static inline bench_t bench_binpack (void)
{
    bench_t self = bench_new ("binpack", bench_binpack_files, 7);
    scratch_write (&self.scratch, "private/seed", BENCH_SEED "\n");
    return self;
}

#endif
