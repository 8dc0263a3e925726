/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/report_internal.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/improvement.h"

static json_t *s_text (text_t text)
{
    return json_stringn (text.data == NULL ? "" : text.data, text.size);
}

static json_t *s_digest (const digest_t *digest)
{
    char text[DIGEST_TEXT_BYTES];
    digest_text (digest, text);
    return digest_is_zero (digest) ? json_null () : json_string (text);
}

static json_t *s_key (const pubkey_t *key)
{
    char text[DIGEST_TEXT_BYTES];
    pubkey_text (key, text);
    return pubkey_is_zero (key) ? json_null () : json_string (text);
}

static json_t *s_number (double value)
{
    return isfinite (value) ? json_real (value) : json_null ();
}

static void s_set (json_t *object, const char *key, uint64_t value)
{
    json_object_set_new (object, key, json_integer ((json_int_t)value));
}

static char *s_dump (json_t *root)
{
    char *text = json_dumps (root, JSON_COMPACT);
    json_decref (root);
    return text;
}

/* --- status --- */

static json_t *s_objectives (const node_status_t *status)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < status->objectives.count; i++) {
        const objective_t *objective = &status->objectives.items[i];
        json_t *one = json_pack ("{s:s, s:s, s:s, s:f, s:b}", "name", objective->name, "goal",
                                 objective->goal == GOAL_MINIMIZE ? "minimize" : "maximize", "unit",
                                 objective->unit, "weight", objective->weight, "noisy", objective->noisy);
        double start = i < status->start_metrics.count ? status->start_metrics.values[i] : NAN;
        double now = i < status->live_metrics.count ? status->live_metrics.values[i] : NAN;
        json_object_set_new (one, "start", s_number (start));
        json_object_set_new (one, "now", s_number (now));
        json_array_append_new (list, one);
    }
    return list;
}

static json_t *s_under_way (const node_status_t *status)
{
    json_t *object = json_object ();
    for (unsigned state = 0; state < STATE_COUNT; state++)
        if (status->in_state[state] > 0)
            s_set (object, improvement_state_name ((improvement_state_t)state), status->in_state[state]);
    return object;
}

static json_t *s_rejected (const node_status_t *status)
{
    json_t *object = json_object ();
    for (unsigned reason = 0; reason < REASON_COUNT; reason++)
        if (status->rejected[reason] > 0)
            s_set (object, reason_name ((reason_code_t)reason), status->rejected[reason]);
    return object;
}

static json_t *s_proposers (const node_status_t *status)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < status->proposer_count; i++) {
        json_t *one = json_object ();
        const char *why = status->proposers[i].idle_why;
        json_object_set_new (one, "name", json_string (status->proposers[i].name));
        s_set (one, "running", status->proposers[i].running);
        s_set (one, "fruitless", status->proposers[i].fruitless);
        json_object_set_new (one, "exhausted", json_boolean (status->proposers[i].exhausted));
        json_object_set_new (one, "idle", why[0] == '\0' ? json_null () : json_string (why));
        json_array_append_new (list, one);
    }
    return list;
}

static json_t *s_refused (const mesh_t *mesh)
{
    static const int codes[] = {
#define ERROR_CODE(NAME, number, name, text) ERROR_##NAME,
#include "protocol/error.def"
#undef ERROR_CODE
    };
    json_t *object = json_object ();
    for (size_t i = 0; mesh != NULL && i < sizeof codes / sizeof codes[0]; i++) {
        uint64_t count = mesh_refused (mesh, codes[i]);
        if (count > 0)
            s_set (object, error_name (codes[i]), count);
    }
    return object;
}

static void s_set_counts (json_t *root, const node_status_t *status)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        {"epoch", status->epoch},
        {"members", status->members},
        {"peers_up", status->peers_up},
        {"slots", status->slots},
        {"slots_busy", status->slots_busy},
        {"proposed", status->proposed},
        {"applied", status->applied},
        {"rolled_back", status->rolled_back},
        {"packages_sent", status->packages_sent},
        {"packages_received", status->packages_received},
        {"packages_adopted", status->packages_adopted},
        {"validations_done", status->validations_done},
        {"evaluations", status->evaluations},
        {"duplicates", status->duplicates},
        {"candidates", status->candidates},
        {"front", status->front},
        {"held", status->held},
        {"equivocations", status->equivocations},
        {"outbox", status->outbox},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        s_set (root, counts[i].name, counts[i].value);
}

static json_t *s_listening (const report_process_t *process)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < process->listening_count; i++) {
        json_t *one = json_object ();
        json_object_set_new (one, "rpc", s_text (process->listening[i].rpc));
        json_object_set_new (one, "pub", s_text (process->listening[i].pub));
        json_array_append_new (list, one);
    }
    return list;
}

/* {"value", "points", "reference": {objective: value…}}; the value null until the start is measured. */
static json_t *s_hypervolume (const node_t *node, const objectives_t *objectives)
{
    metrics_t reference;
    size_t points;
    json_t *root = json_object (), *at = json_object ();
    json_object_set_new (root, "value", s_number (node_hypervolume (node, &reference, &points)));
    json_object_set_new (root, "points", json_integer ((json_int_t)points));
    for (size_t i = 0; i < reference.count && i < objectives->count; i++)
        json_object_set_new (at, objectives->items[i].name, json_real (reference.values[i]));
    json_object_set_new (root, "reference", at);
    return root;
}

char *report_status (const turn_t *turn, const report_process_t *process)
{
    assert (turn != NULL && process != NULL);
    node_status_t status;
    node_status (turn_node (turn), &status);
    json_t *root = json_object ();
    json_object_set_new (root, "id", s_key (&status.id));
    json_object_set_new (root, "name", json_string (status.name));
    json_object_set_new (root, "group", s_digest (&status.group));
    json_object_set_new (root, "group_name", json_string (status.group_name));
    json_object_set_new (root, "agent", json_string (status.agent));
    json_object_set_new (root, "paused", json_boolean (status.paused));
    json_object_set_new (root, "stopped", json_boolean (status.stopped));
    json_object_set_new (root, "finished", json_boolean (status.finished));
    json_object_set_new (root, "waits_for_members", json_boolean (status.waits_for_members));
    json_object_set_new (root, "release", s_digest (&status.release));
    json_object_set_new (root, "learning_rate", json_real (status.learning_rate));
    json_object_set_new (root, "success_rate", s_number (status.success_rate));
    json_object_set_new (root, "breaker", json_string (breaker_state_name (status.breaker)));
    s_set_counts (root, &status);
    json_object_set_new (root, "archive_digest", s_digest (&status.archive_digest));
    s_set (root, "uptime_ms", process->uptime_ms);
    json_object_set_new (root, "objectives", s_objectives (&status));
    json_object_set_new (root, "hypervolume", s_hypervolume (turn_node (turn), &status.objectives));
    json_object_set_new (root, "under_way", s_under_way (&status));
    json_object_set_new (root, "rejected", s_rejected (&status));
    json_object_set_new (root, "proposers", s_proposers (&status));
    json_object_set_new (root, "refused", s_refused (turn_mesh (turn)));
    json_object_set_new (root, "next_steps", report_next_steps (&status, process));
    json_object_set_new (root, "listening", s_listening (process));
    json_object_set_new (root, "llm", process->llm == NULL ? json_null () : process->llm);
    json_object_set_new (root, "out", status.out[0] == '\0' ? json_null () : json_string (status.out));
    json_object_set_new (root, "fault", report_fault (&status));
    json_object_set_new (root, "problem", report_problem (&status, process));
    return s_dump (root);
}

/* --- the group --- */

char *report_members (const turn_t *turn)
{
    assert (turn != NULL);
    json_t *root = json_object (), *list = json_array ();
    node_status_t status;
    node_status (turn_node (turn), &status);
    const members_t *members = node_members (turn_node (turn));
    for (size_t i = 0; members != NULL && i < members->count; i++) {
        json_t *one = json_object ();
        json_object_set_new (one, "id", s_key (&members->members[i].id));
        json_object_set_new (one, "name", json_string (members->members[i].name));
        json_object_set_new (one, "role", json_string (members->members[i].admin ? "admin" : "member"));
        s_set (one, "since_epoch", members->members[i].since_epoch);
        s_set (one, "revoked_epoch", members->members[i].revoked_epoch);
        json_object_set_new (one, "me", json_boolean (pubkey_equal (&members->members[i].id, &status.id)));
        json_array_append_new (list, one);
    }
    s_set (root, "epoch", status.epoch);
    json_object_set_new (root, "members", list);
    return s_dump (root);
}

static json_t *s_peer (const mesh_peer_t *peer, uint64_t now_ms)
{
    static const char *const states[] = {
        [PEER_UNKNOWN] = "unknown", [PEER_LINKING] = "linking", [PEER_UP] = "up", [PEER_SUSPECT] = "suspect"};
    json_t *one = json_object ();
    json_object_set_new (one, "id", s_key (&peer->id));
    json_object_set_new (one, "name", json_string (peer->name));
    json_object_set_new (one, "state", json_string (states[peer->state]));
    bool heard = peer->heard_ms > 0 && peer->heard_ms <= now_ms;
    json_object_set_new (one, "heard_ms_ago",
                         heard ? json_integer ((json_int_t)(now_ms - peer->heard_ms)) : json_null ());
    json_object_set_new (one, "rpc", json_string (peer->rpc));
    json_object_set_new (one, "learning_rate",
                         peer->has_metrics ? json_real (peer->learning_rate) : json_null ());
    json_object_set_new (one, "slots",
                         peer->has_metrics ? json_integer ((json_int_t)peer->slots) : json_null ());
    json_object_set_new (one, "slots_busy",
                         peer->has_metrics ? json_integer ((json_int_t)peer->slots_busy) : json_null ());
    return one;
}

char *report_peers (const turn_t *turn, uint64_t now_ms)
{
    assert (turn != NULL);
    json_t *list = json_array ();
    mesh_peer_t *peers = calloc (LIMIT_MEMBERS, sizeof *peers);
    const mesh_t *mesh = turn_mesh (turn);
    size_t count = peers == NULL || mesh == NULL ? 0 : mesh_peers (mesh, peers, LIMIT_MEMBERS);
    for (size_t i = 0; i < count; i++)
        json_array_append_new (list, s_peer (&peers[i], now_ms));
    free (peers);
    return s_dump (list);
}

/* --- answers and events --- */

char *report_reply (const reply_t *reply)
{
    assert (reply != NULL);
    json_t *root = json_object ();
    json_object_set_new (root, "text", s_text (reply->text));
    json_object_set_new (root, "value", s_text (reply->value));
    return s_dump (root);
}

char *report_event (const notify_t *event)
{
    assert (event != NULL);
    json_t *root = json_object (), *one = json_object (), *metadata = json_object ();
    for (size_t i = 0; i < event->metadata.count; i++) {
        char key[LIMIT_NAME + 1];
        text_copy (event->metadata.items[i].key, key, sizeof key);
        json_object_set_new (metadata, key, s_text (event->metadata.items[i].value));
    }
    json_object_set_new (one, "agent_id", s_key (&event->agent_id));
    s_set (one, "time_ms", event->time_ms);
    json_object_set_new (one, "type", s_text (event->type));
    json_object_set_new (one, "modification_id", s_digest (&event->modification_id));
    json_object_set_new (one, "performance_improvement", s_number (event->performance_improvement));
    json_object_set_new (one, "error_message", s_text (event->error_message));
    json_object_set_new (one, "metadata", metadata);
    json_object_set_new (root, "event", one);
    return s_dump (root);
}
