/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* strsignal */
#include "node/io/evaluation_step.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

bool evaluation_step_is_last (const agent_t *agent, size_t step)
{
    assert (step <= agent->stage_count);
    return step == agent->stage_count;
}

static uint64_t s_timeout_ms (const agent_t *agent, size_t step)
{
    return evaluation_step_is_last (agent, step) ? agent->timeout_ms : agent->stages[step].timeout_ms;
}

static uint64_t s_memory_bytes (const agent_t *agent, size_t step)
{
    return evaluation_step_is_last (agent, step) ? agent->memory_bytes : agent->stages[step].memory_bytes;
}

void evaluation_step_job (const agent_t *agent, size_t step, const char *words[AGENT_COMMAND_MAX + 1],
                          sandbox_job_t *job)
{
    assert (words != NULL && job != NULL);
    bool last = evaluation_step_is_last (agent, step);
    workshop_words (last ? &agent->evaluator : &agent->stages[step].command, words);
    *job = (sandbox_job_t){.command = words,
                           .timeout_ms = s_timeout_ms (agent, step),
                           .memory_bytes = s_memory_bytes (agent, step),
                           .processes_max = agent->processes_max,
                           .output_bytes = LIMIT_OUTPUT_BYTES};
}

/* --- how it ended --- */

static reason_code_t s_reason (const sandbox_result_t *result)
{
    switch (result->end) {
    case SANDBOX_EXITED: return result->exit_code == 0 ? REASON_NONE : REASON_INVALID_EXIT;
    case SANDBOX_SIGNALED: return REASON_INVALID_CRASH;
    case SANDBOX_TIMEOUT: return REASON_INVALID_TIMEOUT;
    case SANDBOX_MEMORY: return REASON_INVALID_MEMORY;
    case SANDBOX_PROCESSES: return REASON_INVALID_PROCESSES;
    case SANDBOX_OUTPUT: return REASON_INVALID_OUTPUT;
    case SANDBOX_CANCELLED:
    case SANDBOX_FAILED: return REASON_FAULT;
    }
    return REASON_FAULT;
}

/* Says in words how a run that gave no result ended. */
static void s_describe (const agent_t *agent, size_t step, const sandbox_result_t *result, problem_t *problem)
{
    switch (result->end) {
    case SANDBOX_EXITED: problem_set (problem, "the evaluator exited with code %d", result->exit_code); break;
    case SANDBOX_SIGNALED:
        problem_set (problem, "the evaluator was ended by signal %d (%s)", result->signal,
                     strsignal (result->signal));
        break;
    case SANDBOX_TIMEOUT:
        problem_set (problem, "no result within %llu ms", (unsigned long long)s_timeout_ms (agent, step));
        break;
    case SANDBOX_MEMORY:
        problem_set (problem, "more than %llu bytes of memory",
                     (unsigned long long)s_memory_bytes (agent, step));
        break;
    case SANDBOX_PROCESSES:
        problem_set (problem, "more than %llu processes", (unsigned long long)agent->processes_max);
        break;
    case SANDBOX_OUTPUT: problem_set (problem, "more than %d bytes of output", LIMIT_OUTPUT_BYTES); break;
    case SANDBOX_CANCELLED:
    case SANDBOX_FAILED: problem_set (problem, "the sandbox failed"); break;
    }
}

/* Fills in what the sandbox itself measured, in the units that agent.h states: bytes, and seconds. */
static void s_fill_measured (const agent_t *agent, const sandbox_result_t *result, metrics_t *metrics)
{
    for (size_t i = 0; i < agent->objectives.count; i++)
        switch (agent->objectives.items[i].source) {
        case SOURCE_EVALUATOR: break;
        case SOURCE_PEAK_MEMORY: metrics->values[i] = (double)result->memory_peak_bytes; break;
        case SOURCE_CPU_TIME: metrics->values[i] = (double)result->cpu_us / 1e6; break;
        case SOURCE_WALL_TIME: metrics->values[i] = (double)result->wall_ms / 1e3; break;
        }
}

/* --- what it printed --- */

static reason_code_t s_judge_stage (const agent_stage_t *stage, const sandbox_result_t *result,
                                    char *artifacts, size_t artifacts_size, problem_t *problem)
{
    assert (result->end == SANDBOX_EXITED && result->exit_code == 0);
    bool passed = false;
    if (agent_read_stage (stage, result->output, result->output_size, &passed, artifacts, artifacts_size,
                          problem) != 0)
        return result->output_size == 0 ? REASON_INVALID_OUTPUT : REASON_INVALID_RESULT;
    return passed ? REASON_NONE : REASON_STAGE;
}

static reason_code_t s_judge_last (const agent_t *agent, const sandbox_result_t *result, metrics_t *metrics,
                                   char *artifacts, size_t artifacts_size, problem_t *problem)
{
    assert (result->end == SANDBOX_EXITED && result->exit_code == 0);
    if (agent_read_result (agent, result->output, result->output_size, metrics, artifacts, artifacts_size,
                           problem) != 0)
        return result->output_size == 0 ? REASON_INVALID_OUTPUT : REASON_INVALID_RESULT;
    assert (metrics->count == agent->objectives.count);
    s_fill_measured (agent, result, metrics);
    return REASON_NONE;
}

reason_code_t evaluation_step_judge (const agent_t *agent, size_t step, const sandbox_result_t *result,
                                     metrics_t *metrics, char *artifacts, size_t artifacts_size,
                                     problem_t *problem)
{
    assert (artifacts_size > 0);
    artifacts[0] = '\0';
    problem_t why = {{0}};
    bool last = evaluation_step_is_last (agent, step);
    reason_code_t reason = s_reason (result);
    if (reason != REASON_NONE)
        s_describe (agent, step, result, &why);
    else if (last)
        reason = s_judge_last (agent, result, metrics, artifacts, artifacts_size, &why);
    else
        reason = s_judge_stage (&agent->stages[step], result, artifacts, artifacts_size, &why);
    if (last)
        problem_set (problem, "%s", why.text);
    else
        problem_set (problem, "stage %s: %s", agent->stages[step].name, why.text);
    return reason;
}
