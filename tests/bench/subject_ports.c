/* SPDX-License-Identifier: MPL-2.0 */
/* The ports of a measured node: the production store and bus, or nothing. */
#include <stdio.h>
#include <string.h>

#include "tests/bench/subject_internal.h"

static int s_begin (void *context)
{
    subject_t *self = context;
    return self->store == NULL ? 0 : store_begin (self->store);
}

static int s_commit (void *context)
{
    subject_t *self = context;
    int result = self->store == NULL ? 0 : store_commit (self->store);
    if (result == 0 && self->options.watch.committed != NULL)
        self->options.watch.committed (self->options.watch.context);
    return result;
}

static void s_rollback (void *context)
{
    subject_t *self = context;
    if (self->store != NULL)
        store_rollback (self->store);
}

static int s_journal_append (void *context, const uint8_t *event, size_t size, const digest_t *effects)
{
    subject_t *self = context;
    return self->store == NULL ? 0 : store_journal_append (self->store, event, size, effects);
}

static int s_journal_walk (void *context, journal_entry_fn *visit, void *visitor)
{
    subject_t *self = context;
    return self->store == NULL ? 0 : store_journal_walk (self->store, 1, visit, visitor);
}

static int s_put_statement (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES],
                            uint64_t publication)
{
    subject_t *self = context;
    return self->store == NULL ? 0 : store_statement_put (self->store, body, size, seal, publication);
}

static int s_put_record (void *context, record_table_t table, const digest_t *key, const uint8_t *bytes,
                         size_t size)
{
    subject_t *self = context;
    return self->store == NULL ? 0 : store_record_put (self->store, (table_t)table, key, bytes, size);
}

static int s_put_content (void *context, const uint8_t *bytes, size_t size)
{
    subject_t *self = context;
    digest_t id;
    return self->store == NULL ? 0 : store_content_put (self->store, bytes, size, &id);
}

static uint8_t *s_get_content (void *context, const digest_t *id, size_t *size)
{
    subject_t *self = context;
    return self->store == NULL ? NULL : store_content_get (self->store, id, size);
}

static bool s_has_content (void *context, const digest_t *id)
{
    subject_t *self = context;
    return self->store != NULL && store_content_has (self->store, id);
}

static int s_walk_publications (void *context, const pubkey_t *author, uint64_t from, size_t limit,
                                publication_fn *visit, void *visitor)
{
    subject_t *self = context;
    return self->store == NULL ? 0
                               : store_publications_walk (self->store, author, from, limit, visit, visitor);
}

static uint64_t s_last_publication (void *context, const pubkey_t *author)
{
    subject_t *self = context;
    return self->store == NULL ? 0 : store_publication_last (self->store, author);
}

static int s_reserve_seq (void *context, uint64_t number)
{
    subject_t *self = context;
    uint8_t bytes[8];
    memcpy (bytes, &number, sizeof bytes);
    return self->store == NULL ? 0 : store_setting_put (self->store, "live_seq", bytes, sizeof bytes);
}

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
    static const bus_standing_t standings[] = {[LINK_STRANGER] = BUS_STRANGER,
                                               [LINK_INVITED] = BUS_INVITED,
                                               [LINK_MEMBER] = BUS_MEMBER,
                                               [LINK_REVOKED] = BUS_REVOKED};
    subject_t *self = context;
    if (self->bus != NULL)
        bus_set_standing (self->bus, curve, standings[standing]);
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
    return (ports_t){.context = self,
                     .begin = s_begin,
                     .commit = s_commit,
                     .rollback = s_rollback,
                     .journal_append = s_journal_append,
                     .journal_walk = s_journal_walk,
                     .put_statement = s_put_statement,
                     .put_record = s_put_record,
                     .put_content = s_put_content,
                     .get_content = s_get_content,
                     .has_content = s_has_content,
                     .walk_publications = s_walk_publications,
                     .last_publication = s_last_publication,
                     .reserve_seq = s_reserve_seq,
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
}
