/* SPDX-License-Identifier: MPL-2.0 */
/* The ports of a turn in production: store, bus, executor, control socket, log. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/reactor_internal.h"
#include "node/io/report.h"
#include "node/io/store_ports.h"

#define ARCHIVED_A_TURN 4

/* --- the store: as store_ports has it, but that the archive is to follow --- */

static int s_put_record (void *context, record_table_t table, const digest_t *key, const uint8_t *bytes,
                         size_t size)
{
    reactor_t *self = context;
    self->archive_behind = self->archive_behind || table == RECORD_CANDIDATE;
    return store_ports_put_record (self, table, key, bytes, size);
}

static int s_retain (void *context, const persist_drop_t *retain)
{
    reactor_t *self = context;
    self->archive_behind = true;
    if (self->archivist != NULL)
        archivist_dropped (self->archivist, retain->dropped.items, retain->dropped.count);
    return store_retain (self->store, retain->dropped.items, retain->dropped.count, retain->kept.items,
                         retain->kept.count);
}

static int s_trim (void *context, uint64_t journal_from, uint64_t events)
{
    reactor_t *self = context;
    int rc = store_journal_trim (self->store, journal_from);
    if (rc == 0 && events < UINT64_MAX)
        rc = store_events_trim (self->store, &keystore_identity (self->keystore)->id, events);
    return rc;
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
    assert (self->link_count < LIMIT_MEMBERS);
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
    assert (self != NULL);
    for (size_t i = 0; i < self->link_count; i++)
        bus_disconnect (self->bus, &self->links[i].curve);
    self->link_count = 0;
}

static void s_send (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                    const uint8_t seal[SEAL_BYTES])
{
    reactor_t *self = context;
    int rc = bus_send (self->bus, curve, body, size, seal);
    if (rc != 0)
        log_line (LEVEL_DEBUG, "unsent", "kind=%u why=%s", statement_kind (body, size), error_name (rc));
}

static void s_reply (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                     const uint8_t seal[SEAL_BYTES])
{
    reactor_t *self = context;
    int rc = bus_reply (self->bus, curve, body, size, seal);
    if (rc != 0)
        log_line (LEVEL_DEBUG, "unanswered", "kind=%u why=%s", statement_kind (body, size), error_name (rc));
}

static void s_publish (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES])
{
    reactor_t *self = context;
    bus_publish (self->bus, body, size, seal);
}

static void s_set_standing (void *context, const pubkey_t *curve, link_standing_t standing)
{
    reactor_t *self = context;
    bus_set_standing (self->bus, curve, standing);
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
    assert (self != NULL);
    ports_t ports = {.context = self,
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
    store_ports (&ports);
    ports.trim = s_trim;
    ports.retain = s_retain;
    ports.put_record = s_put_record;
    return ports;
}

/* --- what is kept beside the journal --- */

static void s_keep_hints (reactor_t *self)
{
    assert (self->link_count <= LIMIT_MEMBERS);
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
    assert (self != NULL);
    const members_t *members = node_members (turn_node (self->turn));
    if (members != NULL && members->epoch != self->epoch_kept &&
        membership_save_roster (self->store, bytes_of (members->packed.data, members->packed.size)) == 0)
        self->epoch_kept = members->epoch;
    if (self->hints_changed)
        s_keep_hints (self);
    s_keep_archive (self);
}
