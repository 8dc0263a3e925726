/* SPDX-License-Identifier: MPL-2.0 */
/* The ports of a turn in production: store, bus, executor, control socket, log. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/reactor_internal.h"
#include "node/io/report.h"

#define SETTING_LIVE_SEQ "live_seq"
#define ARCHIVED_A_TURN  4

/* --- the store --- */

static store_t *s_store (void *context)
{
    const reactor_t *self = context;
    return self->store;
}

static int s_begin (void *context)
{
    return store_begin (s_store (context));
}

static int s_commit (void *context)
{
    return store_commit (s_store (context));
}

static void s_rollback (void *context)
{
    store_rollback (s_store (context));
}

static int s_journal_append (void *context, const uint8_t *event, size_t size, const digest_t *effects)
{
    return store_journal_append (s_store (context), event, size, effects);
}

static int s_journal_walk (void *context, journal_entry_fn *visit, void *visitor)
{
    return store_journal_walk (s_store (context), 1, visit, visitor);
}

static int s_put_statement (void *context, const uint8_t *body, size_t body_size,
                            const uint8_t seal[SEAL_BYTES], uint64_t publication)
{
    return store_statement_put (s_store (context), body, body_size, seal, publication);
}

static int s_put_record (void *context, record_table_t table, const digest_t *key, const uint8_t *bytes,
                         size_t size)
{
    _Static_assert((int)RECORD_IMPROVEMENT == (int)TABLE_IMPROVEMENT &&
                       (int)RECORD_PACKAGE == (int)TABLE_PACKAGE,
                   "the core's tables are the store's");
    assert ((unsigned)table < TABLE_COUNT);
    reactor_t *self = context;
    self->archive_behind = self->archive_behind || table == RECORD_CANDIDATE;
    return store_record_put (s_store (context), (table_t)table, key, bytes, size);
}

static int s_put_content (void *context, const uint8_t *bytes, size_t size)
{
    digest_t id;
    return store_content_put (s_store (context), bytes, size, &id);
}

static uint8_t *s_get_content (void *context, const digest_t *id, size_t *size)
{
    return store_content_get (s_store (context), id, size);
}

static bool s_has_content (void *context, const digest_t *id)
{
    return store_content_has (s_store (context), id);
}

static int s_walk_publications (void *context, const pubkey_t *author, uint64_t from, size_t limit,
                                publication_fn *visit, void *visitor)
{
    return store_publications_walk (s_store (context), author, from, limit, visit, visitor);
}

static uint64_t s_last_publication (void *context, const pubkey_t *author)
{
    return store_publication_last (s_store (context), author);
}

static int s_reserve_seq (void *context, uint64_t number)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    return store_setting_put (s_store (context), SETTING_LIVE_SEQ, bytes, sizeof bytes);
}

/* --- links --- */

static link_t *s_link (reactor_t *self, const pubkey_t *curve)
{
    for (size_t i = 0; i < self->link_count; i++)
        if (pubkey_equal (&self->links[i].curve, curve))
            return &self->links[i];
    return NULL;
}

static link_t *s_link_or_new (reactor_t *self, const pubkey_t *curve)
{
    link_t *link = s_link (self, curve);
    if (link != NULL || self->link_count == LIMIT_MEMBERS)
        return link;
    link = &self->links[self->link_count++];
    *link = (link_t){.curve = *curve};
    return link;
}

static void s_connect (void *context, const mesh_output_t *output)
{
    reactor_t *self = context;
    link_t *link = s_link_or_new (self, &output->curve);
    if (link == NULL || output->address_count == 0)
        return;
    const char *rpc = output->addresses[0].rpc, *pub = output->addresses[0].pub;
    if (strcmp (link->rpc, rpc) != 0 || strcmp (link->pub, pub) != 0) {
        snprintf (link->rpc, sizeof link->rpc, "%s", rpc);
        snprintf (link->pub, sizeof link->pub, "%s", pub);
        self->hints_changed = true;
    }
    link->peer = output->peer;
    problem_t problem;
    if (bus_connect (self->bus, &output->curve, rpc, pub, &problem) != 0)
        log_line (LEVEL_WARNING, "connect_failed", "rpc=%s problem=\"%s\"", rpc, problem.text);
    else
        log_line (LEVEL_DEBUG, "connecting", "rpc=%s", rpc);
}

static void s_disconnect (void *context, const pubkey_t *curve)
{
    reactor_t *self = context;
    link_t *link = s_link (self, curve);
    if (link != NULL)
        *link = self->links[--self->link_count];
    bus_disconnect (self->bus, curve);
}

void reactor_unlink (reactor_t *self)
{
    for (size_t i = 0; i < self->link_count; i++)
        bus_disconnect (self->bus, &self->links[i].curve);
    self->link_count = 0;
}

static void s_send (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                    const uint8_t seal[SEAL_BYTES])
{
    reactor_t *self = context;
    int result = bus_send (self->bus, curve, body, size, seal);
    if (result != 0)
        log_line (LEVEL_DEBUG, "unsent", "kind=%u why=%s", statement_kind (body, size), error_name (result));
}

static void s_reply (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                     const uint8_t seal[SEAL_BYTES])
{
    reactor_t *self = context;
    int result = bus_reply (self->bus, curve, body, size, seal);
    if (result != 0)
        log_line (LEVEL_DEBUG, "unanswered", "kind=%u why=%s", statement_kind (body, size),
                  error_name (result));
}

static void s_publish (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES])
{
    reactor_t *self = context;
    bus_publish (self->bus, body, size, seal);
}

static void s_set_standing (void *context, const pubkey_t *curve, link_standing_t standing)
{
    static const bus_standing_t standings[] = {[LINK_STRANGER] = BUS_STRANGER,
                                               [LINK_INVITED] = BUS_INVITED,
                                               [LINK_MEMBER] = BUS_MEMBER,
                                               [LINK_REVOKED] = BUS_REVOKED};
    reactor_t *self = context;
    bus_set_standing (self->bus, curve, standings[standing]);
}

/* --- jobs and people --- */

static void s_job (void *context, const effect_t *effect)
{
    reactor_t *self = context;
    executor_run (self->executor, effect);
}

static void s_notify (void *context, const notify_t *event)
{
    reactor_t *self = context;
    log_event (event, &keystore_identity (self->keystore)->id);
    if (!control_watched (self->control))
        return;
    char *text = report_event (event);
    if (text != NULL)
        control_publish (self->control, text, clock_now_ms (&self->clock));
    free (text);
}

static void s_answer (void *context, const reply_t *reply)
{
    reactor_t *self = context;
    if (reply->failed) {
        char text[LIMIT_LONG_TEXT + 1];
        text_copy (reply->text, text, sizeof text);
        control_fail (self->control, reply->operation, text);
        return;
    }
    char *text = report_reply (reply);
    control_reply (self->control, reply->operation, text == NULL ? "{}" : text);
    free (text);
}

static void s_log (void *context, turn_log_t level, const char *event, const char *text)
{
    (void)context;
    _Static_assert((int)TURN_LOG_ERROR == (int)LEVEL_ERROR && (int)TURN_LOG_DEBUG == (int)LEVEL_DEBUG,
                   "the turn's levels are the log's");
    log_line ((log_level_t)level, event, "%s", text);
}

ports_t reactor_ports (reactor_t *self)
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
                     .job = s_job,
                     .notify = s_notify,
                     .answer = s_answer,
                     .log = s_log};
}

uint64_t reactor_live_seq (reactor_t *self)
{
    size_t size;
    uint8_t *bytes = store_setting_get (self->store, SETTING_LIVE_SEQ, &size);
    uint64_t number = 0;
    for (size_t i = 0; bytes != NULL && size == 8 && i < size; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    free (bytes);
    return number | 1; /* the mesh's are odd */
}

/* --- what is kept beside the journal --- */

static void s_keep_hints (reactor_t *self)
{
    hint_t hints[LIMIT_MEMBERS];
    size_t count = 0;
    for (size_t i = 0; i < self->link_count; i++)
        if (self->links[i].rpc[0] != '\0')
            hints[count++] =
                (hint_t){self->links[i].peer, text_of (self->links[i].rpc), text_of (self->links[i].pub)};
    if (count == 0)
        return;
    hints_t record = {{hints, count}};
    if (membership_save_hints (self->store, &record) == 0)
        self->hints_changed = false;
}

/* A few candidates at a time, so that a turn stays short also when the archive is made anew. */
static void s_keep_archive (reactor_t *self)
{
    if (self->archivist == NULL)
        return;
    if (self->archive_behind)
        self->archive_behind = archivist_step (self->archivist, ARCHIVED_A_TURN);
    node_status_t status;
    node_status (turn_node (self->turn), &status);
    if (!digest_equal (&status.release, &self->release_kept))
        archivist_release (self->archivist, &status.release);
    self->release_kept = status.release;
}

void reactor_keep (reactor_t *self)
{
    const members_t *members = node_members (turn_node (self->turn));
    if (members != NULL && members->epoch != self->epoch_kept &&
        membership_save_roster (self->store, bytes_of (members->packed.data, members->packed.size)) == 0)
        self->epoch_kept = members->epoch;
    if (self->hints_changed)
        s_keep_hints (self);
    s_keep_archive (self);
}
