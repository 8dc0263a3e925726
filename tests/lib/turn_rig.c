/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/lib/turn_rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/archive.h"
#include "tests/lib/sample.h"

#define WALL_MS 1700000000000ULL

__attribute__ ((format (printf, 2, 3))) static void s_trace (turn_rig_t *self, const char *format, ...)
{
    size_t size = strlen (self->trace);
    va_list arguments;
    va_start (arguments, format);
    int more = vsnprintf (self->trace + size, sizeof self->trace - size, format, arguments);
    va_end (arguments);
    ck_assert (more > 0 && size + (size_t)more + 2 < sizeof self->trace);
    strcat (self->trace, " ");
}

/* --- the store --- */

static int s_begin (void *context)
{
    turn_rig_t *self = context;
    s_trace (self, "begin");
    ck_assert (!self->in_transaction);
    self->in_transaction = self->begin_error == 0;
    return self->begin_error;
}

static int s_commit (void *context)
{
    turn_rig_t *self = context;
    s_trace (self, "commit");
    ck_assert (self->in_transaction);
    if (self->commit_error != 0)
        return self->commit_error;
    self->in_transaction = false;
    self->committed = self->row_count;
    return 0;
}

static void s_rollback (void *context)
{
    turn_rig_t *self = context;
    s_trace (self, "rollback");
    while (self->row_count > self->committed)
        buffer_clear (&self->rows[--self->row_count].bytes);
    self->in_transaction = false;
}

static void s_put (turn_rig_t *self, bool is_journal, const uint8_t *bytes, size_t size,
                   const digest_t *digest)
{
    ck_assert_uint_lt (self->row_count, TURN_RIG_ROWS);
    turn_rig_row_t *row = &self->rows[self->row_count++];
    *row = (turn_rig_row_t){.is_journal = is_journal, .digest = *digest};
    buffer_append (&row->bytes, bytes, size);
}

static int s_journal_append (void *context, const uint8_t *event, size_t size, const digest_t *effects)
{
    turn_rig_t *self = context;
    event_t decoded;
    arena_t arena = {0};
    ck_assert_int_eq (event_decode (event, size, &decoded, &arena), 0);
    s_trace (self, "journal:%s", event_name (decoded.kind));
    arena_clear (&arena);
    if (self->journal_error != 0)
        return self->journal_error;
    s_put (self, true, event, size, effects);
    return 0;
}

static int s_journal_walk (void *context, uint64_t from, journal_entry_fn *visit, void *visitor)
{
    turn_rig_t *self = context;
    uint64_t number = 0;
    for (size_t i = 0; i < self->committed; i++) {
        const turn_rig_row_t *row = &self->rows[i];
        number += row->is_journal;
        int result = row->is_journal && number >= from && number > self->trimmed
                         ? visit (visitor, number, row->bytes.data, row->bytes.size, &row->digest)
                         : 0;
        if (result != 0)
            return result;
    }
    return 0;
}

/* --- checkpoints --- */

static turn_rig_row_t *s_checkpoint (turn_rig_t *self, uint64_t number)
{
    for (size_t i = 0; i < self->row_count; i++)
        if (number > 0 && self->rows[i].checkpoint == number)
            return &self->rows[i];
    return NULL;
}

static int s_checkpoint_put (void *context, uint64_t number, const uint8_t *bytes, size_t size)
{
    turn_rig_t *self = context;
    digest_t none = {{0}};
    s_trace (self, "checkpoint");
    ck_assert (self->in_transaction && s_checkpoint (self, number) == NULL);
    s_put (self, false, bytes, size, &none);
    self->rows[self->row_count - 1].checkpoint = number;
    return 0;
}

static uint8_t *s_checkpoint_get (void *context, uint64_t number, size_t *size)
{
    const turn_rig_row_t *row = s_checkpoint (context, number);
    uint8_t *bytes = row == NULL || row->bytes.size == 0 ? NULL : malloc (row->bytes.size);
    if (bytes == NULL)
        return NULL;
    memcpy (bytes, row->bytes.data, row->bytes.size);
    *size = row->bytes.size;
    return bytes;
}

static uint64_t s_checkpoint_before (void *context, uint64_t number)
{
    turn_rig_t *self = context;
    uint64_t newest = 0;
    for (size_t i = 0; i < self->row_count; i++)
        if (self->rows[i].checkpoint > newest && self->rows[i].checkpoint < number)
            newest = self->rows[i].checkpoint;
    return newest;
}

static int s_checkpoint_drop (void *context, uint64_t number)
{
    turn_rig_row_t *row = s_checkpoint (context, number);
    ck_assert_ptr_nonnull (row);
    row->checkpoint = 0;
    return 0;
}

static int s_trim (void *context, uint64_t journal_from, uint64_t events)
{
    turn_rig_t *self = context;
    (void)events;
    ck_assert_uint_ge (journal_from, self->trimmed);
    self->trimmed = journal_from > 0 ? journal_from - 1 : 0;
    return 0;
}

static int s_retain (void *context, const persist_drop_t *retain)
{
    (void)retain;
    s_trace (context, "retain");
    return 0;
}

static int s_put_statement (void *context, const uint8_t *body, size_t body_size,
                            const uint8_t seal[SEAL_BYTES], uint64_t publication)
{
    (void)body, (void)body_size, (void)seal, (void)publication;
    s_trace (context, "statement");
    return 0;
}

static int s_put_record (void *context, record_table_t table, const digest_t *key, const uint8_t *bytes,
                         size_t size)
{
    (void)table, (void)key, (void)bytes, (void)size;
    s_trace (context, "record");
    return 0;
}

static int s_put_content (void *context, const uint8_t *bytes, size_t size)
{
    s_trace (context, "content");
    digest_t id = digest_of (bytes, size);
    s_put (context, false, bytes, size, &id);
    return 0;
}

static const turn_rig_row_t *s_find_content (const turn_rig_t *self, const digest_t *id)
{
    for (size_t i = 0; i < self->row_count; i++)
        if (!self->rows[i].is_journal && digest_equal (&self->rows[i].digest, id))
            return &self->rows[i];
    return NULL;
}

static uint8_t *s_get_content (void *context, const digest_t *id, size_t *size)
{
    const turn_rig_row_t *row = s_find_content (context, id);
    uint8_t *bytes = row == NULL ? NULL : malloc (row->bytes.size + 1);
    if (bytes != NULL)
        memcpy (bytes, row->bytes.data, *size = row->bytes.size);
    return bytes;
}

static bool s_has_content (void *context, const digest_t *id)
{
    return s_find_content (context, id) != NULL;
}

static int s_walk_publications (void *context, const pubkey_t *author, uint64_t from, size_t limit,
                                publication_fn *visit, void *visitor)
{
    (void)context, (void)author, (void)from, (void)limit, (void)visit, (void)visitor;
    return 0;
}

static uint64_t s_last_publication (void *context, const pubkey_t *author)
{
    (void)context, (void)author;
    return 0;
}

static int s_reserve_seq (void *context, uint64_t number)
{
    turn_rig_t *self = context;
    s_trace (self, "reserve");
    ck_assert (self->in_transaction);
    self->reserved = number;
    return 0;
}

/* --- links, jobs, people: none of it may happen while a transaction is open --- */

static void s_outside (turn_rig_t *self, const char *what)
{
    s_trace (self, "%s", what);
    ck_assert_msg (!self->in_transaction, "%s before the commit", what);
}

static void s_connect (void *context, const mesh_output_t *output)
{
    (void)output;
    s_outside (context, "connect");
}

static void s_disconnect (void *context, const pubkey_t *curve)
{
    (void)curve;
    s_outside (context, "disconnect");
}

static void s_send (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                    const uint8_t seal[SEAL_BYTES])
{
    (void)curve, (void)body, (void)size, (void)seal;
    s_outside (context, "send");
}

static void s_publish (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES])
{
    (void)seal;
    s_outside (context, statement_kind (body, size) == MESSAGE_PRESENCE ? "presence" : "publish");
}

static void s_set_standing (void *context, const pubkey_t *curve, link_standing_t standing)
{
    (void)curve;
    s_outside (context, standing == LINK_MEMBER ? "member" : "standing");
}

static void s_job (void *context, const effect_t *effect)
{
    turn_rig_t *self = context;
    char what[64];
    snprintf (what, sizeof what, "job:%s", effect_name (effect->kind));
    s_outside (self, what);
    effects_add (&self->jobs, effect->kind, &effect->as);
    if (self->answer_at_once)
        turn_rig_evaluated (self, 5);
}

static void s_notify (void *context, const notify_t *event)
{
    (void)event;
    s_outside (context, "notify");
}

static void s_answer (void *context, const reply_t *reply)
{
    turn_rig_t *self = context;
    s_outside (self, reply->failed ? "answer:failed" : "answer");
    self->answered = reply->operation;
    self->answer_failed = reply->failed;
}

static void s_log (void *context, turn_log_t level, const char *event, const char *text)
{
    (void)level, (void)text;
    s_trace (context, "log:%s", event);
}

static ports_t s_ports (turn_rig_t *self)
{
    return (ports_t){self,
                     s_begin,
                     s_commit,
                     s_rollback,
                     s_journal_append,
                     s_journal_walk,
                     s_checkpoint_put,
                     s_checkpoint_get,
                     s_checkpoint_before,
                     s_checkpoint_drop,
                     s_trim,
                     s_put_statement,
                     s_put_record,
                     s_put_content,
                     s_retain,
                     s_get_content,
                     s_has_content,
                     s_walk_publications,
                     s_last_publication,
                     s_reserve_seq,
                     s_connect,
                     s_disconnect,
                     s_send,
                     s_send,
                     s_publish,
                     s_set_standing,
                     s_job,
                     s_notify,
                     s_answer,
                     s_log};
}

/* --- the rig --- */

static void s_found (turn_rig_t *self)
{
    tree_t start = {0};
    digest_t evaluator = {{1}}, content = digest_of ("5\n", 2);
    policy_t policy = policy_default ();
    size_t size;
    ck_assert_int_eq (tree_add (&start, "value.txt", false, &content, 2), 0);
    uint8_t *bytes = tree_encode (&start, &evaluator, &size);
    ck_assert_ptr_nonnull (bytes);
    buffer_append (&self->start, bytes, size);
    free (bytes);
    tree_clear (&start);
    digest_t id = digest_of (self->start.data, self->start.size);
    pubkey_t curve = sample_curve (1), other = sample_curve (2);
    identity_t absent = sample_identity (2);
    ck_assert_int_eq (
        group_found (&self->group, &self->identity, "packers", "tiny", &evaluator, &id, &policy, WALL_MS), 0);
    ck_assert_int_eq (
        members_found (&self->members, &self->group, &self->identity, &curve, "alpha", 2, 1, WALL_MS), 0);
    ck_assert_int_eq (members_add (&self->members, &self->group, &self->identity, &absent.id, &other, "beta",
                                   4, 2, WALL_MS),
                      0);
}

turn_rig_t *turn_rig_new (void)
{
    turn_rig_t *self = calloc (1, sizeof *self);
    ck_assert_ptr_nonnull (self);
    self->identity = sample_identity (1);
    self->now_ms = 1000;
    s_found (self);
    return self;
}

void turn_rig_crash (turn_rig_t *self)
{
    turn_destroy (&self->turn);
    s_rollback (self);
    effects_clear (&self->jobs);
    self->trace[0] = '\0';
}

void turn_rig_destroy (turn_rig_t *self)
{
    turn_rig_crash (self);
    for (size_t i = 0; i < self->row_count; i++)
        buffer_clear (&self->rows[i].bytes);
    buffer_clear (&self->start);
    group_clear (&self->group);
    members_clear (&self->members);
    free (self);
}

static int s_start (turn_rig_t *self)
{
    address_t address = {text_of ("tcp://127.0.0.1:7401"), text_of ("tcp://127.0.0.1:7402")};
    objective_row_t objective = {
        .name = text_of ("cost"), .goal = GOAL_MINIMIZE, .weight = 1, .bound = NAN, .alert = NAN};
    proposer_row_t proposer = {.name = text_of ("tune"), .share = 1};
    started_t started = {.charter = bytes_of (self->group.packed.data, self->group.packed.size),
                         .roster = bytes_of (self->members.packed.data, self->members.packed.size),
                         .start = bytes_of (self->start.data, self->start.size),
                         .name = text_of ("alpha"),
                         .platform = text_of ("test"),
                         .language = text_of ("text"),
                         .addresses = {&address, 1},
                         .curve = sample_curve (1),
                         .seed = {{7}},
                         .objectives = {&objective, 1},
                         .proposers = {&proposer, 1},
                         .timeout_ms = 1000,
                         .slots = 1,
                         .selection = SELECT_DGM,
                         .islands = 1,
                         .migration_interval = 50,
                         .migration_fraction = 0.1,
                         .learning_rate = 0.1,
                         .proposals_max = 4,
                         .confined = 1,
                         .breaker_enabled = 1,
                         .breaker_threshold = 5,
                         .breaker_recovery_ms = 10000,
                         .automatic_rollback = 1,
                         .auto_share = 1,
                         .compatibility_threshold = 0.7,
                         .transfer_attempts_max = 3,
                         .validate_for_peers = 1};
    mesh_self_t about = {.curve = started.curve,
                         .addresses = {address},
                         .address_count = 1,
                         .validation_types = 7,
                         .platform = "test",
                         .live_seq = self->reserved | 1};
    const uint8_t entropy[SEED_BYTES] = {3};
    return turn_start (self->turn, &started, &self->group, &about, entropy, self->now_ms,
                       WALL_MS + self->now_ms);
}

int turn_rig_start (turn_rig_t *self)
{
    if (self->turn == NULL) {
        ports_t ports = s_ports (self);
        self->turn = turn_new (&self->identity, &ports);
        ck_assert_ptr_nonnull (self->turn);
        if (self->checkpoint_interval_entries > 0)
            turn_checkpoint_every (self->turn, self->checkpoint_interval_entries);
    }
    int result = turn_recover (self->turn, NULL);
    return result != 0 ? result : s_start (self);
}

int turn_rig_run (turn_rig_t *self, uint64_t after_ms)
{
    self->now_ms += after_ms;
    return turn_run (self->turn, self->now_ms, WALL_MS + self->now_ms);
}

void turn_rig_run_until (turn_rig_t *self, uint64_t until_ms)
{
    for (unsigned turns = 0; turns < 10000; turns++) {
        uint64_t due_ms = turn_deadline_ms (self->turn);
        if (due_ms > until_ms) {
            self->now_ms = until_ms;
            return;
        }
        ck_assert_int_eq (turn_rig_run (self, due_ms > self->now_ms ? due_ms - self->now_ms : 0), 0);
    }
    ck_abort_msg ("turns without end");
}

/* --- looking at it --- */

size_t turn_rig_journal (const turn_rig_t *self, unsigned kind)
{
    size_t count = 0;
    for (size_t i = 0; i < self->committed; i++) {
        event_t event;
        arena_t arena = {0};
        if (!self->rows[i].is_journal)
            continue;
        ck_assert_int_eq (event_decode (self->rows[i].bytes.data, self->rows[i].bytes.size, &event, &arena),
                          0);
        count += kind == 0 || event.kind == kind;
        arena_clear (&arena);
    }
    return count;
}

size_t turn_rig_count (const turn_rig_t *self, const char *word)
{
    size_t count = 0, size = strlen (word);
    for (const char *at = self->trace; (at = strstr (at, word)) != NULL; at += size)
        count += at[size] == ' ' && (at == self->trace || at[-1] == ' ');
    return count;
}

size_t turn_rig_find (const turn_rig_t *self, const char *word)
{
    const char *at = strstr (self->trace, word);
    return at == NULL ? SIZE_MAX : (size_t)(at - self->trace);
}

bool turn_rig_evaluated (turn_rig_t *self, double value)
{
    for (size_t i = self->jobs.count; i > 0; i--) {
        const effect_t *job = &self->jobs.items[i - 1];
        if (job->kind != EFFECT_EVALUATE)
            continue;
        value_t metric = {value};
        event_t event = {.kind = EVENT_EVALUATED};
        event.as.evaluated = (evaluated_t){.operation = job->as.evaluate.operation, .metrics = {&metric, 1}};
        turn_event (self->turn, &event);
        return true;
    }
    return false;
}

void turn_rig_command (turn_rig_t *self, uint64_t operation, const char *name)
{
    event_t event = {.kind = EVENT_COMMAND};
    event.as.command = (command_t){.operation = operation, .name = text_of (name)};
    turn_event (self->turn, &event);
}
