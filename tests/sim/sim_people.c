/* SPDX-License-Identifier: MPL-2.0 */
/* The people of the simulated world, and the member that lies. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <string.h>

#include "evolution/improvement.h"
#include "evolution/validators.h"

/* --- operators: each command has its operation's number, by which its reply is known --- */

static const char *const s_commands[] = {"", "resume", "approve", "reject", "pause", "rollback"};
enum { RESUME = 1, APPROVE, REJECT, PAUSE, ROLL_BACK };

static void s_command (sim_node_t *node, uint64_t command, const digest_t *improvement)
{
    char id[DIGEST_TEXT_BYTES];
    entry_t argument = {.key = text_of ("id")};
    event_t event = {.kind = EVENT_COMMAND,
                     .as.command = {.operation = command, .name = text_of (s_commands[command])}};
    if (improvement) {
        digest_text (improvement, id);
        argument.value = text_of (id);
        event.as.command.arguments.items = &argument;
        event.as.command.arguments.count = 1;
    }
    turn_event (node->turn, &event);
    sim_wake (node);
}

void sim_operated (sim_node_t *node, const reply_t *reply)
{
    sim_counts_t *counts = &node->sim->counts;
    unsigned *const of[] = {
        NULL, &counts->resumes, &counts->approvals, &counts->rejections, &counts->pauses, &counts->rollbacks};
    assert (reply->operation >= RESUME && reply->operation <= ROLL_BACK);
    *of[reply->operation] += !reply->failed;
}

/* What the operator sees of the node's improvements: the last that is held, and the last that is live or was. */
typedef struct {
    digest_t held;
    digest_t package; /* of the held one; zero: none */
    digest_t live;
} view_t;

static void s_look (void *context, const digest_t *key, const buffer_t *bytes)
{
    view_t *view = context;
    improvement_row_t row;
    arena_t arena = {0};
    int rc = record_decode (&improvement_row_record, bytes->data, bytes->size, &row, &arena, NULL);
    assert (rc == 0);
    (void)rc;
    if (row.state == STATE_HELD) {
        view->held = *key;
        view->package = row.package;
    }
    if (row.state == STATE_SHARED || row.state == STATE_KEPT)
        view->live = *key;
    arena_clear (&arena);
}

static void s_remember_approved (sim_node_t *node, const digest_t *id)
{
    if (node->approved_count < SIM_APPROVED_MAX)
        node->approved[node->approved_count++] = *id;
}

static void s_approve (sim_node_t *node, const view_t *view)
{
    s_remember_approved (node, &view->held);
    if (!digest_is_zero (&view->package)) /* which may be merged again, and is another improvement then */
        s_remember_approved (node, &view->package);
    s_command (node, APPROVE, &view->held);
}

bool sim_approved (const sim_node_t *node, const digest_t *id)
{
    for (size_t i = 0; i < node->approved_count; i++)
        if (digest_equal (&node->approved[i], id))
            return true;
    return false;
}

void sim_operate (sim_t *self)
{
    if (self->now_ms >= SIM_START_MS + SIM_CALM_MS)
        return;
    sim_schedule (self,
                  (sim_entry_t){.at_ms = self->now_ms + 1 + random_below (&self->random, 2 * SIM_OPERATOR_MS),
                                .kind = SIM_OPERATOR});
    sim_node_t *node = &self->nodes[random_below (&self->random, self->node_count)];
    for (size_t i = 0; i < self->node_count; i++) { /* who has something to decide, looks first */
        view_t view = {{{0}}, {{0}}, {{0}}};
        sim_store_records (self->nodes[i].store, RECORD_IMPROVEMENT, s_look, &view);
        if (self->nodes[i].turn && !digest_is_zero (&view.held))
            node = &self->nodes[i];
    }
    if (!node->turn)
        return;
    view_t view = {{{0}}, {{0}}, {{0}}};
    sim_store_records (node->store, RECORD_IMPROVEMENT, s_look, &view);
    double mood = random_unit (&self->random);
    if (!digest_is_zero (&view.held)) {
        if (mood < 0.7)
            s_approve (node, &view);
        else if (mood < 0.9)
            s_command (node, REJECT, &view.held);
    } else if (mood < 0.3)
        s_command (node, PAUSE, NULL);
    else if (mood < 0.8)
        s_command (node, RESUME, NULL);
    else if (mood < 0.85 && !digest_is_zero (&view.live))
        s_command (node, ROLL_BACK, &view.live);
}

/* --- a liar: its core is honest, and its words are changed on their way out --- */

bool sim_lie (sim_node_t *node, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES],
              buffer_t *lie, uint8_t lie_seal[SEAL_BYTES])
{
    unsigned kind = statement_kind (body, size);
    digest_t id = statement_id (body, size, seal);
    message_t message = {0};
    /* The id decides, so that what is said again is the same lie again. */
    bool lies =
        (kind == MESSAGE_FEEDBACK || kind == MESSAGE_VALIDATION_RESULT) && id.bytes[0] % 2 < node->lies;
    if (!lies || message_decode (body, size, &message, NULL))
        return false;
    if (kind == MESSAGE_FEEDBACK)
        message.as.feedback.recommendation = message.as.feedback.recommendation == 0 ? 2 : 0;
    else
        message.as.validation_result.confirmed = !message.as.validation_result.confirmed;
    message_seal (&node->identity, &message.head, &message.as, lie, lie_seal);
    assert (!lie->failed);
    message_clear (&message);
    node->sim->counts.lies++;
    return true;
}
