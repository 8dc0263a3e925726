/* SPDX-License-Identifier: MPL-2.0 */
/* The ports of a measured node: the production store and bus, or nothing. */
#include <stdio.h>

#include "node/io/store_ports.h"
#include "tests/bench/subject_internal.h"

/* --- what is kept: by the production's ports, with a word to who watches --- */

static int s_commit (void *context)
{
    subject_t *self = context;
    int rc = self->store == NULL ? 0 : store_commit (self->store);
    if (rc == 0 && self->options.watch.committed != NULL)
        self->options.watch.committed (self->options.watch.context);
    return rc;
}

/* --- nothing is kept --- */

static int s_no_begin (void *context)
{
    (void)context;
    return 0;
}

static void s_no_rollback (void *context)
{
    (void)context;
}

static int s_no_journal (void *context, const uint8_t *event, size_t size, const digest_t *effects)
{
    (void)context, (void)event, (void)size, (void)effects;
    return 0;
}

static int s_no_walk (void *context, uint64_t from, journal_entry_fn *visit, void *visitor)
{
    (void)context, (void)from, (void)visit, (void)visitor;
    return 0;
}

static int s_no_checkpoint (void *context, uint64_t number, const uint8_t *bytes, size_t size)
{
    (void)context, (void)number, (void)bytes, (void)size;
    return 0;
}

static uint64_t s_none_before (void *context, uint64_t number)
{
    (void)context, (void)number;
    return 0;
}

static int s_no_statement (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES],
                           uint64_t publication)
{
    (void)context, (void)body, (void)size, (void)seal, (void)publication;
    return 0;
}

static int s_no_record (void *context, record_table_t table, const digest_t *key, const uint8_t *bytes,
                        size_t size)
{
    (void)context, (void)table, (void)key, (void)bytes, (void)size;
    return 0;
}

static int s_no_content (void *context, const uint8_t *bytes, size_t size)
{
    (void)context, (void)bytes, (void)size;
    return 0;
}

static uint8_t *s_not_here (void *context, const digest_t *id, size_t *size)
{
    (void)context, (void)id, (void)size;
    return NULL;
}

static bool s_has_not (void *context, const digest_t *id)
{
    (void)context, (void)id;
    return false;
}

static int s_no_publications (void *context, const pubkey_t *author, uint64_t from, size_t limit,
                              publication_fn *visit, void *visitor)
{
    (void)context, (void)author, (void)from, (void)limit, (void)visit, (void)visitor;
    return 0;
}

static uint64_t s_no_last (void *context, const pubkey_t *author)
{
    (void)context, (void)author;
    return 0;
}

static int s_no_seq (void *context, uint64_t number)
{
    (void)context, (void)number;
    return 0;
}

static void s_nothing_kept (ports_t *ports)
{
    ports->begin = s_no_begin;
    ports->rollback = s_no_rollback;
    ports->journal_append = s_no_journal;
    ports->journal_walk = s_no_walk;
    ports->checkpoint_put = s_no_checkpoint;
    ports->checkpoint_before = s_none_before;
    ports->put_statement = s_no_statement;
    ports->put_record = s_no_record;
    ports->put_content = s_no_content;
    ports->get_content = s_not_here;
    ports->has_content = s_has_not;
    ports->walk_publications = s_no_publications;
    ports->last_publication = s_no_last;
    ports->reserve_seq = s_no_seq;
}

/* --- links and people --- */

static void s_connect (void *context, const mesh_output_t *output)
{
    subject_t *self = context;
    problem_t problem;
    if (self->bus != NULL && output->address_count > 0 &&
        bus_connect (self->bus, &output->curve, output->addresses[0].rpc, output->addresses[0].pub,
                     &problem) != 0)
        bench_fail ("%s", problem.text);
}

static void s_disconnect (void *context, const pubkey_t *curve)
{
    subject_t *self = context;
    if (self->bus != NULL)
        bus_disconnect (self->bus, curve);
}

static void s_tell_send (const subject_t *self, const uint8_t *body, size_t size)
{
    if (self->options.watch.sends != NULL)
        self->options.watch.sends (self->options.watch.context, statement_kind (body, size), size);
}

static void s_send (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                    const uint8_t seal[SEAL_BYTES])
{
    subject_t *self = context;
    s_tell_send (self, body, size);
    if (self->bus != NULL)
        bus_send (self->bus, curve, body, size, seal);
}

static void s_reply (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                     const uint8_t seal[SEAL_BYTES])
{
    subject_t *self = context;
    s_tell_send (self, body, size);
    if (self->bus != NULL)
        bus_reply (self->bus, curve, body, size, seal);
}

static void s_publish (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES])
{
    subject_t *self = context;
    if (self->bus != NULL)
        bus_publish (self->bus, body, size, seal);
}

static void s_set_standing (void *context, const pubkey_t *curve, link_standing_t standing)
{
    subject_t *self = context;
    if (self->bus != NULL)
        bus_set_standing (self->bus, curve, standing);
}

static void s_notify (void *context, const notify_t *event)
{
    subject_t *self = context;
    if (self->options.watch.notified != NULL)
        self->options.watch.notified (self->options.watch.context, event);
}

static void s_answer (void *context, const reply_t *reply)
{
    (void)context, (void)reply;
}

static void s_log (void *context, turn_log_t level, const char *event, const char *text)
{
    subject_t *self = context;
    if (level <= TURN_LOG_WARNING)
        fprintf (stderr, "subject %zu: %s %s\n", self->options.number, event, text);
}

ports_t subject_ports (subject_t *self)
{
    ports_t ports = {.context = self,
                     .connect = s_connect,
                     .disconnect = s_disconnect,
                     .send = s_send,
                     .reply = s_reply,
                     .publish = s_publish,
                     .set_standing = s_set_standing,
                     .job = subject_job,
                     .notify = s_notify,
                     .answer = s_answer,
                     .log = s_log};
    if (self->store != NULL)
        store_ports (&ports);
    else
        s_nothing_kept (&ports);
    ports.commit = s_commit;
    return ports;
}
