/* SPDX-License-Identifier: MPL-2.0 */
/* What `status` says of why nothing goes on, and of what the operator can do about it. */
#include "node/io/report_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FRUITLESS_TOLD 4 /* so many proposals in a row without anything new are no mere bad luck */

static void s_add_step (json_t *list, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
static void s_add_step (json_t *list, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    json_array_append_new (list, json_vsprintf (format, arguments));
    va_end (arguments);
}

/* What failed may have been told in several lines; here it is one. */
static void s_on_one_line (const char *text, char line[LIMIT_TEXT + 1])
{
    snprintf (line, LIMIT_TEXT + 1, "%s", text);
    for (char *at = line; (at = strchr (at, '\n')) != NULL;)
        *at = ' ';
}

/* What the node itself is at fault with. */
static void s_add_faults (json_t *list, const node_status_t *status, const report_process_t *process)
{
    if (status->out[0] != '\0')
        s_add_step (list,
                    "%s; make a new node with `evomesh init` in another directory, and join again with that",
                    status->out);
    if (process->problem != NULL)
        s_add_step (list, "the store failed: %s; then `evomesh resume`, or wait until it is tried again",
                    process->problem);
    if (status->baseline_reason != REASON_NONE)
        s_add_step (
            list, "the live release can't be measured, so nothing is proposed; it is tried again. If the "
                  "evaluator needs private data: name their directory by `private:` in node.yaml and restart "
                  "the node (for a new one: `evomesh init --private DIR`). If the agent is at fault: mend it "
                  "until `evomesh agent check` is content, then found a new group on it with a new node");
    if (status->stopped)
        s_add_step (list, "a rollback failed: look at `evomesh log`, then `evomesh resume`");
    if (status->breaker == BREAKER_OPEN)
        s_add_step (list, "the circuit breaker is open after repeated faults: mend what `fault` says; it is "
                          "tried again by itself, or at once by `evomesh resume`");
    if (status->breaker == BREAKER_HALF_OPEN)
        s_add_step (list, "the circuit breaker is half open: one improvement is tried, and if nothing fails "
                          "all goes on");
}

/* What waits for the operator or for members. */
static void s_add_waiting (json_t *list, const node_status_t *status)
{
    if (status->held > 0)
        s_add_step (list, "%llu HELD: approve with `evomesh approve ID`, or `evomesh reject ID`",
                    (unsigned long long)status->held);
    if (status->awaiting_members > 0)
        s_add_step (list,
                    "%s still to be measured again by more members than there are: who is gone for good, or "
                    "has no vote any more, an admin lets go with `evomesh group revoke ID`",
                    text_counted (status->awaiting_members, "improvement").text);
    if (status->equivocations > 0)
        s_add_step (
            list,
            "%s said two different things under one number, and no vote of such a member counts here: "
            "look at `evomesh log`, and let such a member go with `evomesh group revoke ID`",
            text_counted (status->equivocations, "member").text);
    if (status->paused)
        s_add_step (list, "evolution is paused: `evomesh resume`");
}

/* Why who should propose doesn't. */
static void s_add_proposers (json_t *list, const node_status_t *status, const report_process_t *process)
{
    if (status->proposer_count == 0)
        s_add_step (list, "no proposer is named, so this node proposes nothing of its own: name one under "
                          "`proposers:` in node.yaml and restart the node");
    for (size_t i = 0; i < status->proposer_count; i++) {
        const char *name = status->proposers[i].name, *why = status->proposers[i].idle_why;
        if (why[0] != '\0')
            s_add_step (list,
                        "%s has nothing more to propose: %s; it is asked again once a new candidate is "
                        "measured or another release is live, else less and less often",
                        name, why);
        else if (status->proposers[i].fruitless >= FRUITLESS_TOLD) {
            char line[LIMIT_TEXT + 1];
            s_on_one_line (status->proposers[i].fruitless_why, line);
            s_add_step (list,
                        "%s gave nothing new %u times in a row, and is asked less often; the last time: %s",
                        name, status->proposers[i].fruitless, line);
        }
    }
    if (json_is_true (json_object_get (process->llm, "exhausted")))
        s_add_step (list, "llm has spent its budget: raise llm.budget in node.yaml and restart the node");
    if (status->finished)
        s_add_step (list, "all proposals of `proposals_max` are made: raise it in node.yaml to go on");
}

static void s_add_peers (json_t *list, const node_status_t *status, const report_process_t *process)
{
    if (status->members == 1)
        s_add_step (list, "the group has one member: let others join with `evomesh group invite`");
    else if (status->peers_up == 0 && process->was_denied)
        s_add_step (
            list,
            "no peer is connected, and this node's key is denied: it was probably revoked, and could not be "
            "told; ask the group's admin, or make a new node with `evomesh init`");
    else if (status->peers_up == 0)
        s_add_step (list,
                    "no peer is connected: look at `evomesh group members` and the addresses in node.yaml");
}

json_t *report_next_steps (const node_status_t *status, const report_process_t *process)
{
    assert (status != NULL && process != NULL);
    json_t *list = json_array ();
    s_add_faults (list, status, process);
    s_add_waiting (list, status);
    s_add_proposers (list, status, process);
    if (status->out[0] == '\0')
        s_add_peers (list, status, process);
    return list;
}

json_t *report_problem (const node_status_t *status, const report_process_t *process)
{
    assert (status != NULL && process != NULL);
    if (process->problem != NULL)
        return json_string (process->problem);
    if (status->baseline_reason == REASON_NONE)
        return json_null ();
    char why[LIMIT_TEXT + 1];
    s_on_one_line (status->baseline_detail[0] != '\0' ? status->baseline_detail
                                                      : reason_description (status->baseline_reason),
                   why);
    return json_sprintf ("the live release can't be measured: %s", why);
}

json_t *report_fault (const node_status_t *status)
{
    assert (status != NULL);
    if (status->fault[0] == '\0')
        return json_null ();
    char text[LIMIT_TEXT + 1];
    s_on_one_line (status->fault, text);
    return json_pack ("{s:s, s:I}", "text", text, "time_ms", (json_int_t)status->fault_wall_ms);
}
