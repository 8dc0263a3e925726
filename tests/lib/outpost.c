/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/lib/outpost.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS       5
#define PUBLISHED_MAX 8192

static uint64_t s_now_ms (void)
{
    return (uint64_t)zclock_mono ();
}

static uint64_t s_wall_ms (const outposts_t *self)
{
    return (uint64_t)zclock_time () + self->skew_ms;
}

/* --- what a mesh wants --- */

static void s_serve_pull (outpost_t *self, const mesh_output_t *asked)
{
    bytes_t packed[LIMIT_PULL];
    size_t count = 0;
    self->pulls_served++;
    for (size_t n = asked->number; self->number == 0 && n <= self->all->published_count && count < LIMIT_PULL;
         n++)
        if (self->all->published[n].size > 0)
            packed[count++] = bytes_of (self->all->published[n].data, self->all->published[n].size);
    mesh_serve_pull (self->mesh, asked, packed, count, self->all->keys[self->number].publication,
                     s_wall_ms (self->all), &self->out);
}

static void s_deliver (outpost_t *self, const mesh_output_t *output)
{
    message_t message = {0};
    ck_assert_int_eq (message_decode (output->bytes.data, output->bytes.size, &message, NULL), 0);
    self->delivered++;
    self->delivered_of[message.head.kind]++;
    if (message.head.kind == MESSAGE_EVENT) {
        self->is_in_order =
            self->is_in_order && message.as.event_message.publication == self->last_publication + 1;
        self->last_publication = message.as.event_message.publication;
    }
    message_clear (&message);
}

static void s_note (outpost_t *self, mesh_output_t *output)
{
    switch (output->kind) {
    case MESH_PEER_UP: self->up++; break;
    case MESH_PEER_LOST: self->lost++; break;
    case MESH_DELIVER: s_deliver (self, output); break;
    case MESH_REFUSED:
        self->refused++;
        self->refused_first += output->first;
        self->refused_code = output->result;
        self->refused_peer = output->peer;
        break;
    case MESH_EQUIVOCATED:
    case MESH_FETCHED:
        self->fetched++;
        self->fetched_result = output->result;
        buffer_clear (&self->content);
        self->content = output->bytes;
        output->bytes = (buffer_t){0};
        break;
    case MESH_SERVE_PULL: s_serve_pull (self, output); break;
    case MESH_SERVE:
        mesh_serve (self->mesh, output, self->content.data + output->number,
                    self->content.size - output->number, self->content.size, s_wall_ms (self->all),
                    &self->out);
        break;
    case MESH_RESERVE:
    case MESH_CONNECT:
    case MESH_DISCONNECT:
    case MESH_SEND:
    case MESH_REPLY:
    case MESH_PUBLISH:
    default: break;
    }
}

static const pubkey_t *s_curve_of (const outposts_t *self, const pubkey_t *peer)
{
    int at = members_find (self->members, peer);
    ck_assert_int_ge (at, 0);
    return &self->members->members[at].curve;
}

static void s_execute (outpost_t *self, mesh_output_t *output)
{
    const buffer_t *bytes = &output->bytes;
    switch (output->kind) {
    case MESH_CONNECT:
        bus_connect (self->bus, &output->curve, output->addresses[0].rpc, output->addresses[0].pub, NULL);
        break;
    case MESH_DISCONNECT: bus_disconnect (self->bus, &output->curve); break;
    case MESH_SEND:
        bus_send (self->bus, s_curve_of (self->all, &output->peer), bytes->data, bytes->size, output->seal);
        break;
    case MESH_REPLY: bus_reply (self->bus, &output->curve, bytes->data, bytes->size, output->seal); break;
    case MESH_PUBLISH: bus_publish (self->bus, bytes->data, bytes->size, output->seal); break;
    case MESH_RESERVE:
    case MESH_DELIVER:
    case MESH_PEER_UP:
    case MESH_PEER_LOST:
    case MESH_SERVE:
    case MESH_SERVE_PULL:
    case MESH_FETCHED:
    case MESH_EQUIVOCATED:
    case MESH_REFUSED:
    default: s_note (self, output); break;
    }
}

static void s_settle (outpost_t *self)
{
    while (self->out.count > 0) {
        mesh_outputs_t out = self->out;
        memset (&self->out, 0, sizeof self->out);
        for (size_t i = 0; i < out.count; i++)
            s_execute (self, &out.items[i]);
        mesh_outputs_clear (&out);
    }
}

/* --- what the bus has --- */

static void s_readable (void *context)
{
    outpost_t *self = context;
    bus_drain (self->bus, 256);
    s_settle (self);
}

static void s_receive (void *context, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                       const uint8_t *seal, size_t seal_size)
{
    outpost_t *self = context;
    mesh_receive (self->mesh, curve, body, body_size, seal, seal_size, s_now_ms (), s_wall_ms (self->all),
                  &self->out);
}

static void s_refused (void *context, const pubkey_t *curve, const char *address, const char *why, bool first)
{
    (void)curve;
    (void)address;
    (void)why;
    (void)first;
    ((outpost_t *)context)->link_refused++;
}

static int s_tick (zloop_t *loop, int timer, void *context)
{
    (void)loop;
    (void)timer;
    outposts_t *self = context;
    for (size_t i = 0; i < self->count; i++) {
        outpost_t *post = &self->posts[i];
        if (mesh_deadline_ms (post->mesh) <= s_now_ms ())
            mesh_tick (post->mesh, s_now_ms (), s_wall_ms (self), &post->out);
        s_settle (post);
    }
    return 0;
}

/* --- life --- */

static void s_make_group (outposts_t *self)
{
    digest_t none = {{0}};
    policy_t policy = policy_default ();
    for (size_t i = 0; i < OUTPOST_MEMBERS; i++) {
        uint8_t seed[SEED_BYTES];
        memset (seed, (int)(i + 1), sizeof seed);
        identity_from_seed (seed, &self->keys[i].identity);
        seed[0] = 99;
        curve_from_seed (seed, &self->keys[i].curve);
        self->keys[i].seq = 100;
    }
    const identity_t *founder = &self->keys[0].identity;
    group_found (&self->group, founder, "outposts", "agent", &none, &none, &policy, s_wall_ms (self));
    self->members = calloc (1, sizeof *self->members);
    members_found (self->members, &self->group, founder, &self->keys[0].curve.public_key, "n0", 2, 1,
                   s_wall_ms (self));
    for (size_t i = 1; i < OUTPOST_MEMBERS; i++) {
        char name[24];
        snprintf (name, sizeof name, "n%zu", i);
        ck_assert_int_eq (members_add (self->members, &self->group, founder, &self->keys[i].identity.id,
                                       &self->keys[i].curve.public_key, name, 2 + 2 * i, 1 + i,
                                       s_wall_ms (self)),
                          0);
    }
}

static void s_start (outposts_t *self, size_t number)
{
    outpost_t *post = &self->posts[number];
    post->all = self;
    post->number = number;
    post->is_in_order = true;
    bus_handler_t handler = {s_readable, s_receive, s_refused, post};
    problem_t problem = {""};
    post->bus = bus_new (self->loop, &self->keys[number].curve, &self->group.group, &handler, &problem);
    ck_assert_msg (post->bus != NULL, "%s", problem.text);
    ck_assert_msg (
        bus_bind (post->bus, "tcp://127.0.0.1:*", post->address.rpc, post->address.pub, &problem) == 0, "%s",
        problem.text);
    mesh_self_t about = {.curve = self->keys[number].curve.public_key,
                         .address_count = 1,
                         .platform = "test",
                         .live_seq = 1001};
    about.addresses[0] = (address_t){text_of (post->address.rpc), text_of (post->address.pub)};
    uint8_t entropy[SEED_BYTES] = {(uint8_t)number};
    post->mesh = mesh_new (&self->keys[number].identity, &self->group, &about, entropy);
    ck_assert_ptr_nonnull (post->mesh);
}

void outposts_set_members (outposts_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        outpost_t *post = &self->posts[i];
        for (size_t j = 0; j < self->members->count; j++)
            bus_set_standing (post->bus, &self->members->members[j].curve,
                              self->members->members[j].revoked_epoch == 0 ? LINK_MEMBER : LINK_REVOKED);
        mesh_set_members (post->mesh, self->members, s_now_ms (), &post->out);
        s_settle (post);
    }
}

outposts_t *outposts_start (size_t count)
{
    outposts_t *self = calloc (1, sizeof *self);
    ck_assert_ptr_nonnull (self);
    self->count = count;
    self->loop = zloop_new ();
    self->zmq = zmq_ctx_new ();
    self->published = calloc (PUBLISHED_MAX, sizeof *self->published);
    s_make_group (self);
    for (size_t i = 0; i < count; i++)
        s_start (self, i);
    outposts_set_members (self);
    for (size_t i = 1; i < count; i++)
        mesh_hint (self->posts[i].mesh, &self->keys[0].identity.id, self->posts[0].address.rpc,
                   self->posts[0].address.pub, s_now_ms (), &self->posts[i].out);
    zloop_timer (self->loop, TICK_MS, 0, s_tick, self);
    return self;
}

void outposts_stop (outposts_t **self_p)
{
    outposts_t *self = *self_p;
    for (size_t i = 0; i < self->count; i++) {
        bus_destroy (&self->posts[i].bus);
        mesh_destroy (&self->posts[i].mesh);
        mesh_outputs_clear (&self->posts[i].out);
        buffer_clear (&self->posts[i].content);
    }
    for (size_t i = 0; i < PUBLISHED_MAX; i++)
        buffer_clear (&self->published[i]);
    free (self->published);
    members_clear (self->members);
    free (self->members);
    group_clear (&self->group);
    zloop_destroy (&self->loop);
    zmq_ctx_term (self->zmq);
    free (self);
    *self_p = NULL;
}

static bool s_have_met (void *context)
{
    const outposts_t *self = context;
    for (size_t i = 0; i < self->count; i++) {
        mesh_peer_t peers[OUTPOST_MEMBERS];
        size_t count = mesh_peers (self->posts[i].mesh, peers, OUTPOST_MEMBERS), up = 0;
        for (size_t j = 0; j < count; j++)
            up += peers[j].state == PEER_UP;
        if (up < self->count - 1)
            return false;
    }
    return true;
}

void outposts_meet (outposts_t *self)
{
    ck_assert (station_run (self->loop, s_have_met, self));
}

/* --- what is said --- */

buffer_t outposts_statement (outposts_t *self, size_t member, unsigned kind, const void *fields)
{
    head_t head = {.kind = kind,
                   .group = self->group.group,
                   .epoch = self->members->epoch,
                   .seq = self->keys[member].seq,
                   .time_ms = s_wall_ms (self)};
    self->keys[member].seq += 2;
    buffer_t body = {0}, packed = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (&self->keys[member].identity, &head, fields, &body, seal);
    statement_pack (body.data, body.size, seal, &packed);
    buffer_clear (&body);
    return packed;
}

void outposts_publish (outposts_t *self, size_t count)
{
    size_t first = self->published_count + 1;
    ck_assert_uint_lt (self->published_count + count, PUBLISHED_MAX);
    for (size_t i = 0; i < count; i++) {
        uint64_t number = ++self->keys[0].publication;
        event_message_t event = {.publication = number, .type = text_of ("improvement_proposed")};
        self->published[number] = outposts_statement (self, 0, MESSAGE_EVENT, &event);
        self->published_count = number;
    }
    mesh_set_publication (self->posts[0].mesh, &self->keys[0].identity.id, self->keys[0].publication);
    for (size_t i = first; i <= self->published_count; i++) {
        const buffer_t *packed = &self->published[i];
        bus_publish (self->posts[0].bus, packed->data, packed->size - SEAL_BYTES,
                     packed->data + packed->size - SEAL_BYTES);
    }
}

void *outposts_hostile (outposts_t *self)
{
    return station_hostile (self->zmq, ZMQ_DEALER, &self->keys[OUTPOST_HOSTILE].curve,
                            &self->keys[0].curve.public_key, self->posts[0].address.rpc);
}

void outposts_hostile_send (void *socket, const buffer_t *packed)
{
    size_t body_size = packed->size - SEAL_BYTES;
    ck_assert_int_ge (zmq_send (socket, packed->data, body_size, ZMQ_SNDMORE), 0);
    ck_assert_int_ge (zmq_send (socket, packed->data + body_size, SEAL_BYTES, 0), 0);
}

void outposts_expect_alive (outposts_t *self)
{
    size_t before = self->posts[0].delivered_of[MESSAGE_LEAVE];
    leave_t leave = {.to = self->keys[0].identity.id, .reason = text_of ("still there?")};
    buffer_t packed = outposts_statement (self, 1, MESSAGE_LEAVE, &leave);
    size_t body_size = packed.size - SEAL_BYTES;
    ck_assert_int_eq (bus_send (self->posts[1].bus, &self->keys[0].curve.public_key, packed.data, body_size,
                                packed.data + body_size),
                      0);
    buffer_clear (&packed);
    ck_assert (station_run_until (self->loop, &self->posts[0].delivered_of[MESSAGE_LEAVE], before + 1));
}
