/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/lib/village.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS  50
#define START_MS UINT64_C (1000000)
#define WALL_MS  UINT64_C (1700000000000)

static mesh_address_t s_address (const village_t *self, size_t person)
{
    mesh_address_t address;
    memset (&address, 0, sizeof address);
    snprintf (address.rpc, sizeof address.rpc, "tcp://10.0.%u.%zu:7401", self->people[person].life,
              person + 1);
    snprintf (address.pub, sizeof address.pub, "tcp://10.0.%u.%zu:7402", self->people[person].life,
              person + 1);
    return address;
}

static size_t s_by_id (const village_t *self, const pubkey_t *id)
{
    size_t at = 0;
    while (at < self->count && !pubkey_equal (&self->people[at].identity.id, id))
        at++;
    return at;
}

static size_t s_by_curve (const village_t *self, const pubkey_t *curve)
{
    size_t at = 0;
    while (at < self->count && !pubkey_equal (&self->people[at].curve.public_key, curve))
        at++;
    return at;
}

static void s_keys (villager_t *person, uint8_t n)
{
    uint8_t seed[SEED_BYTES];
    memset (seed, n, sizeof seed);
    identity_from_seed (seed, &person->identity);
    seed[0] = (uint8_t)~n;
    curve_from_seed (seed, &person->curve);
}

village_t *village_new (size_t count)
{
    village_t *self = calloc (1, sizeof *self);
    ck_assert_ptr_nonnull (self);
    self->count = count;
    self->now_ms = START_MS;
    self->wall_ms = WALL_MS;
    digest_t evaluator = digest_of ("evaluator", 9), start = digest_of ("start", 5);
    policy_t policy = policy_default ();
    for (size_t i = 0; i < count; i++)
        s_keys (&self->people[i], (uint8_t)(i + 1));
    villager_t *founder = &self->people[0];
    group_found (&self->group, &founder->identity, "village", "agent", &evaluator, &start, &policy, WALL_MS);
    self->members = calloc (1, sizeof *self->members);
    ck_assert_int_eq (members_found (self->members, &self->group, &founder->identity,
                                     &founder->curve.public_key, "p0", 2, ++founder->publication, WALL_MS),
                      0);
    founder->seq = 4;
    for (size_t i = 1; i < count; i++) {
        char name[24];
        snprintf (name, sizeof name, "p%zu", i);
        ck_assert_int_eq (members_add (self->members, &self->group, &founder->identity,
                                       &self->people[i].identity.id, &self->people[i].curve.public_key, name,
                                       founder->seq, ++founder->publication, WALL_MS),
                          0);
        founder->seq += 2;
    }
    for (size_t i = 0; i < count; i++) {
        self->people[i].seq = i == 0 ? founder->seq : 2;
        village_start (self, i);
    }
    return self;
}

void village_destroy (village_t **self_p)
{
    village_t *self = *self_p;
    for (size_t i = 0; i < self->count; i++) {
        villager_t *person = &self->people[i];
        mesh_destroy (&person->mesh);
        mesh_outputs_clear (&person->out);
        buffer_clear (&person->fetched);
        for (size_t j = 0; j < sizeof person->published / sizeof *person->published; j++)
            buffer_clear (&person->published[j]);
    }
    for (size_t i = 0; i < VILLAGE_CONTENTS; i++)
        buffer_clear (&self->contents[i]);
    members_clear (self->members);
    free (self->members);
    group_clear (&self->group);
    free (self);
    *self_p = NULL;
}

void village_start (village_t *self, size_t person)
{
    villager_t *who = &self->people[person];
    ck_assert_ptr_null (who->mesh);
    mesh_address_t address = s_address (self, person);
    mesh_self_t about = {.curve = who->curve.public_key,
                         .address_count = 1,
                         .validation_types = 3,
                         .platform = "test",
                         .live_seq = who->reserved > 0 ? who->reserved : VILLAGE_SEQ};
    about.addresses[0] = (address_t){text_of (address.rpc), text_of (address.pub)};
    uint8_t entropy[SEED_BYTES] = {(uint8_t)person, (uint8_t)who->life};
    who->mesh = mesh_new (&who->identity, &self->group, &about, entropy);
    ck_assert_ptr_nonnull (who->mesh);
    memset (who->linked, 0, sizeof who->linked);
    mesh_set_members (who->mesh, self->members, self->now_ms, &who->out);
    for (size_t i = 0; i < self->count; i++)
        mesh_set_publication (who->mesh, &self->people[i].identity.id, i == 0 ? self->count : 0);
    mesh_set_publication (who->mesh, &who->identity.id, who->publication);
}

void village_stop (village_t *self, size_t person)
{
    villager_t *who = &self->people[person];
    mesh_destroy (&who->mesh);
    mesh_outputs_clear (&who->out);
    who->life++;
}

void village_set_members (village_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->people[i].mesh != NULL)
            mesh_set_members (self->people[i].mesh, self->members, self->now_ms, &self->people[i].out);
    village_settle (self);
}

/* --- carrying --- */

static void s_carry (village_t *self, size_t to, const pubkey_t *curve, const mesh_output_t *output)
{
    villager_t *who = &self->people[to];
    if (who->mesh != NULL)
        mesh_receive (who->mesh, curve, output->bytes.data, output->bytes.size, output->seal, SEAL_BYTES,
                      self->now_ms, self->wall_ms, &who->out);
}

static bool s_is_lost (village_t *self, size_t from, size_t to, const mesh_output_t *output)
{
    unsigned kind = statement_kind (output->bytes.data, output->bytes.size);
    self->sent[kind]++;
    return self->lose != NULL && self->lose (self, from, to, kind);
}

static bool s_reaches (const village_t *self, size_t from, size_t to)
{
    mesh_address_t address = s_address (self, to);
    return self->people[from].linked[to] && strcmp (self->people[from].linked_to[to].rpc, address.rpc) == 0;
}

static void s_serve (village_t *self, villager_t *who, const mesh_output_t *asked)
{
    who->served++;
    for (size_t i = 0; i < VILLAGE_CONTENTS; i++) {
        const buffer_t *content = &self->contents[i];
        digest_t id = digest_of (content->data, content->size);
        if (!digest_equal (&id, &asked->content))
            continue;
        size_t offset = asked->number < content->size ? (size_t)asked->number : content->size;
        static const uint8_t nothing[1];
        mesh_serve (who->mesh, asked, content->size > 0 ? content->data + offset : nothing,
                    content->size - offset, content->size, self->wall_ms, &who->out);
        return;
    }
    mesh_serve (who->mesh, asked, NULL, 0, 0, self->wall_ms, &who->out);
}

static void s_serve_pull (village_t *self, villager_t *who, const mesh_output_t *asked)
{
    bytes_t packed[LIMIT_PULL];
    size_t count = 0;
    who->served_pulls++;
    for (uint64_t n = asked->number; n <= who->publication && count < LIMIT_PULL; n++)
        if (who->published[n].size > 0)
            packed[count++] = bytes_of (who->published[n].data, who->published[n].size);
    mesh_serve_pull (who->mesh, asked, packed, count, who->publication, self->wall_ms, &who->out);
}

static void s_note_delivery (villager_t *who, const mesh_output_t *output)
{
    head_t head;
    ck_assert_int_eq (message_head (output->bytes.data, output->bytes.size, &head), 0);
    ck_assert (statement_verify (output->bytes.data, output->bytes.size, output->seal));
    ck_assert_uint_lt (who->delivered_count, sizeof who->delivered / sizeof *who->delivered);
    who->delivered[who->delivered_count++] =
        (village_delivery_t){head.kind, head.seq, statement_author (output->seal), output->curve};
}

static void s_note_fetched (villager_t *who, mesh_output_t *output)
{
    who->fetched_count++;
    who->fetched_operation = output->operation;
    who->fetched_result = output->result;
    buffer_clear (&who->fetched);
    who->fetched = output->bytes;
    output->bytes = (buffer_t){0};
}

static void s_take (village_t *self, size_t from, mesh_output_t *output)
{
    villager_t *who = &self->people[from];
    size_t peer = s_by_id (self, &output->peer);
    switch (output->kind) {
    case MESH_RESERVE: who->reserved = output->number; break;
    case MESH_CONNECT:
        ck_assert_uint_gt (output->address_count, 0);
        ck_assert (pubkey_equal (&output->curve, &self->people[peer].curve.public_key));
        who->linked[peer] = true;
        who->linked_to[peer] = output->addresses[0];
        who->connect_count[peer]++;
        break;
    case MESH_DISCONNECT:
        who->linked[peer] = false;
        who->disconnect_count[peer]++;
        break;
    case MESH_SEND:
        if (!s_is_lost (self, from, peer, output) && s_reaches (self, from, peer))
            s_carry (self, peer, &who->curve.public_key, output);
        break;
    case MESH_REPLY:
        peer = s_by_curve (self, &output->curve);
        if (!s_is_lost (self, from, peer, output) && peer < self->count)
            s_carry (self, peer, &who->curve.public_key, output);
        break;
    case MESH_PUBLISH:
        if (!s_is_lost (self, from, SIZE_MAX, output))
            for (size_t to = 0; to < self->count; to++)
                if (to != from && s_reaches (self, to, from))
                    s_carry (self, to, NULL, output);
        break;
    case MESH_DELIVER: s_note_delivery (who, output); break;
    case MESH_PEER_UP:
        who->up_count[peer]++;
        who->up_number[peer] = output->number;
        break;
    case MESH_PEER_LOST: who->lost_count[peer]++; break;
    case MESH_SERVE: s_serve (self, who, output); break;
    case MESH_SERVE_PULL: s_serve_pull (self, who, output); break;
    case MESH_FETCHED: s_note_fetched (who, output); break;
    case MESH_EQUIVOCATED:
        who->equivocated_count++;
        who->equivocated_peer = output->peer;
        who->equivocated_number = output->number;
        who->equivocated_bytes = output->bytes.size + output->second.size;
        break;
    case MESH_REFUSED:
        who->refused_count++;
        who->refused_first += output->first;
        who->refused_code = output->result;
        who->refused_peer = output->peer;
        break;
    }
}

void village_settle (village_t *self)
{
    bool is_quiet = self->is_hushed;
    while (!is_quiet) {
        is_quiet = true;
        for (size_t i = 0; i < self->count; i++) {
            mesh_outputs_t out = self->people[i].out;
            memset (&self->people[i].out, 0, sizeof out);
            is_quiet = is_quiet && out.count == 0;
            for (size_t j = 0; j < out.count; j++)
                s_take (self, i, &out.items[j]);
            mesh_outputs_clear (&out);
        }
    }
}

void village_pass (village_t *self, uint64_t ms)
{
    for (uint64_t end_ms = self->now_ms + ms; self->now_ms < end_ms;) {
        self->now_ms += STEP_MS;
        self->wall_ms += STEP_MS;
        for (size_t i = 0; i < self->count; i++) {
            villager_t *who = &self->people[i];
            if (who->mesh == NULL || mesh_deadline_ms (who->mesh) > self->now_ms)
                continue;
            mesh_tick (who->mesh, self->now_ms, self->wall_ms, &who->out);
            /* A tick does what was due: it never leaves a deadline behind. */
            ck_assert_uint_gt (mesh_deadline_ms (who->mesh), self->now_ms);
        }
        village_settle (self);
    }
}

void village_hint (village_t *self, size_t person, size_t of)
{
    mesh_address_t address = s_address (self, of);
    mesh_hint (self->people[person].mesh, &self->people[of].identity.id, address.rpc, address.pub,
               self->now_ms, &self->people[person].out);
    village_settle (self);
}

void village_meet (village_t *self)
{
    for (size_t i = 1; i < self->count; i++)
        village_hint (self, i, 0);
    village_pass (self, 5000);
    for (size_t i = 0; i < self->count; i++)
        for (size_t j = 0; j < self->count; j++)
            ck_assert_msg (i == j || village_is_up (self, i, j), "%zu does not see %zu", i, j);
}

mesh_peer_t village_peer (const village_t *self, size_t person, size_t peer)
{
    mesh_peer_t peers[VILLAGE_MAX];
    size_t count = mesh_peers (self->people[person].mesh, peers, VILLAGE_MAX);
    for (size_t i = 0; i < count; i++)
        if (pubkey_equal (&peers[i].id, &self->people[peer].identity.id))
            return peers[i];
    return (mesh_peer_t){.state = PEER_UNKNOWN};
}

bool village_is_up (const village_t *self, size_t person, size_t peer)
{
    peer_state_t state = village_peer (self, person, peer).state;
    return state == PEER_UP || state == PEER_SUSPECT;
}

size_t village_delivered (const village_t *self, size_t person, unsigned kind)
{
    size_t count = 0;
    for (size_t i = 0; i < self->people[person].delivered_count; i++)
        count += self->people[person].delivered[i].kind == kind;
    return count;
}

/* --- what nodes say --- */

head_t village_head (village_t *self, size_t person, unsigned kind)
{
    head_t head = {.kind = kind,
                   .group = self->group.group,
                   .epoch = self->members->epoch,
                   .seq = self->people[person].seq,
                   .time_ms = self->wall_ms};
    self->people[person].seq += 2;
    return head;
}

buffer_t village_statement (const identity_t *author, const head_t *head, const void *fields)
{
    buffer_t body = {0}, packed = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (author, head, fields, &body, seal);
    statement_pack (body.data, body.size, seal, &packed);
    buffer_clear (&body);
    return packed;
}

void village_bring (village_t *self, size_t person, const pubkey_t *curve, const buffer_t *packed)
{
    villager_t *who = &self->people[person];
    size_t body_size = packed->size - SEAL_BYTES;
    mesh_receive (who->mesh, curve, packed->data, body_size, packed->data + body_size, SEAL_BYTES,
                  self->now_ms, self->wall_ms, &who->out);
    village_settle (self);
}

void village_say (village_t *self, size_t person, size_t to, unsigned kind, const void *fields)
{
    head_t head = village_head (self, person, kind);
    buffer_t packed = village_statement (&self->people[person].identity, &head, fields);
    village_bring (self, to, &self->people[person].curve.public_key, &packed);
    buffer_clear (&packed);
}

void village_publish (village_t *self, size_t person)
{
    villager_t *who = &self->people[person];
    ck_assert_uint_lt (who->publication + 1, sizeof who->published / sizeof *who->published);
    event_message_t event = {.publication = ++who->publication, .type = text_of ("improvement_proposed")};
    head_t head = village_head (self, person, MESSAGE_EVENT);
    who->published[event.publication] = village_statement (&who->identity, &head, &event);
    const buffer_t *packed = &who->published[event.publication];
    mesh_set_publication (who->mesh, &who->identity.id, event.publication);
    self->sent[MESSAGE_EVENT]++;
    if (self->lose != NULL && self->lose (self, person, SIZE_MAX, MESSAGE_EVENT))
        return;
    for (size_t to = 0; to < self->count; to++)
        if (to != person && self->people[to].mesh != NULL && s_reaches (self, to, person))
            village_bring (self, to, NULL, packed);
}
