/* SPDX-License-Identifier: MPL-2.0 */
/* A workshop for tests of jobs: a store, a sandbox and a small agent whose evaluator does what its one evolve file says. */
#ifndef EVOMESH_TESTS_LIB_JOB_RIG_H
#define EVOMESH_TESTS_LIB_JOB_RIG_H

#include "node/io/workshop.h"
#include "tests/lib/suite.h"
#include "tests/lib/tree_fixture.h"

#define JOB_RIG_EVENTS  16
#define JOB_RIG_WAIT_US 150000000 /* longer than any job may take */

/* The timeout is one that a loaded machine does not exceed: a test of the limit sets its own. */
static const char job_rig_manifest[] = "name: tiny\n"
                                       "evolve: [value.txt]\n"
                                       "evaluator:\n"
                                       "  command: [./evaluate]\n"
                                       "  timeout: 120s\n"
                                       "  memory: 64MiB\n"
                                       "objectives:\n"
                                       "  - {name: score, goal: minimize}\n"
                                       "  - {name: wall_time, goal: minimize, noisy: true}\n"
                                       "  - {name: peak_memory, goal: minimize}\n";

static const char job_rig_evaluator[] =
    "#!/bin/sh\n"
    "read -r word < value.txt\n"
    "case \"$word\" in\n"
    "exit) echo 'it is bad' >&2; exit 3;;\n"
    "crash) kill -SEGV $$;;\n"
    "hang) sleep 1000;;\n"
    "idle) sleep 0.5; echo '{\"metrics\": {\"score\": 1}}';;\n"
    "silent) ;;\n"
    "garbage) echo 'the score is good';;\n"
    "nan) echo '{\"metrics\": {\"score\": NaN}}';;\n"
    "flood) while :; do echo 0123456789012345678901234567890123456789; done;;\n"
    "invalid) echo '{\"valid\": false, \"error\": \"overlap\"}';;\n"
    "private) echo \"{\\\"metrics\\\": {\\\"score\\\": $(cat /private/number)}}\";;\n"
    "write) if echo 1 > value.txt; then echo '{\"metrics\": {\"score\": 1}}'; else exit 9; fi;;\n"
    "*) echo \"{\\\"metrics\\\": {\\\"score\\\": $word}, \\\"artifacts\\\": {\\\"worst\\\": \\\"item "
    "7\\\"}}\";;\n"
    "esac\n";

typedef struct {
    fixture_t fixture;
    zloop_t *loop;
    sandbox_t *sandbox;
    agent_t *agent;
    config_t *config;
    tree_t pinned;
    workshop_t workshop;
    char data[SCRATCH_PATH_BYTES];
    char work[SCRATCH_PATH_BYTES];
    event_t events[JOB_RIG_EVENTS]; /* as they came */
    buffer_t bytes[JOB_RIG_EVENTS];
    arena_t arenas[JOB_RIG_EVENTS];
    size_t count;
    size_t wanted;
    int64_t deadline_us;
} job_rig_t;

static inline void job_rig_done (void *context, const event_t *event)
{
    job_rig_t *self = context;
    ck_assert_uint_lt (self->count, JOB_RIG_EVENTS);
    size_t i = self->count++;
    event_encode (event, &self->bytes[i]); /* asserts every bound */
    ck_assert_int_eq (
        event_decode (self->bytes[i].data, self->bytes[i].size, &self->events[i], &self->arenas[i]), 0);
}

static inline digest_t job_rig_candidate (job_rig_t *self, const char *text);

static inline job_rig_t *job_rig_new (bool unsandboxed)
{
    problem_t problem = {{0}};
    setenv ("ZSYS_SIGHANDLER", "false", 1);
    job_rig_t *self = calloc (1, sizeof *self);
    ck_assert_ptr_nonnull (self);
    self->fixture = fixture_new ();
    snprintf (self->data, sizeof self->data, "%s", scratch_path (&self->fixture.scratch, "data").text);
    snprintf (self->work, sizeof self->work, "%s", scratch_path (&self->fixture.scratch, "work").text);
    ck_assert_int_eq (mkdir (self->work, 0700), 0);
    self->loop = zloop_new ();
    self->sandbox = sandbox_new (self->loop, unsandboxed, HELPER_DIRECTORY, &problem);
    ck_assert_msg (self->sandbox != NULL, "%s", problem.text);
    self->agent = calloc (1, sizeof *self->agent);
    self->config = calloc (1, sizeof *self->config);
    ck_assert (self->agent != NULL && self->config != NULL);
    config_defaults (self->config, 2);
    ck_assert_msg (
        agent_parse (AGENT_MANIFEST, job_rig_manifest, strlen (job_rig_manifest), self->agent, &problem) == 0,
        "%s", problem.text);
    fixture_add (&self->fixture, &self->pinned, AGENT_MANIFEST, job_rig_manifest);
    fixture_add (&self->fixture, &self->pinned, "evaluate*", job_rig_evaluator);
    static const digest_t none;
    self->workshop = (workshop_t){.loop = self->loop,
                                  .store = self->fixture.store,
                                  .sandbox = self->sandbox,
                                  .data_directory = self->data,
                                  .work_directory = self->work,
                                  .agent = self->agent,
                                  .config = self->config,
                                  .pinned = &self->pinned,
                                  .evaluator = tree_id (&self->pinned, &none)};
    self->workshop.start = job_rig_candidate (self, "0\n");
    return self;
}

static inline void job_rig_destroy (job_rig_t *self)
{
    sandbox_destroy (&self->sandbox);
    zloop_destroy (&self->loop);
    tree_clear (&self->pinned);
    for (size_t i = 0; i < JOB_RIG_EVENTS; i++) {
        buffer_clear (&self->bytes[i]);
        arena_clear (&self->arenas[i]);
    }
    free (self->agent);
    free (self->config);
    fixture_destroy (&self->fixture);
    free (self);
}

/* A candidate whose evolve file holds `text`, in the store. */
static inline digest_t job_rig_candidate (job_rig_t *self, const char *text)
{
    problem_t problem = {{0}};
    tree_t tree = {0};
    digest_t id;
    size_t size;
    fixture_add (&self->fixture, &tree, "value.txt", text);
    uint8_t *bytes = workshop_put_tree (&self->workshop, &tree, &id, &size, &problem);
    ck_assert_msg (bytes != NULL, "%s", problem.text);
    free (bytes);
    tree_clear (&tree);
    return id;
}

static inline int job_rig_look (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer;
    job_rig_t *self = context;
    ck_assert_msg (zclock_usecs () < self->deadline_us, "%zu of %zu events came", self->count, self->wanted);
    return self->count >= self->wanted ? -1 : 0;
}

/* Runs the loop until that many events came in all. */
static inline void job_rig_wait (job_rig_t *self, size_t wanted)
{
    self->wanted = wanted;
    self->deadline_us = zclock_usecs () + JOB_RIG_WAIT_US;
    int timer = zloop_timer (self->loop, 1, 0, job_rig_look, self);
    zloop_start (self->loop);
    zloop_timer_end (self->loop, timer);
}

static inline bool job_rig_says (text_t text, const char *what)
{
    return memmem (text.data, text.size, what, strlen (what)) != NULL;
}

#endif
