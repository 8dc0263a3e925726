/* SPDX-License-Identifier: MPL-2.0 */
/* Rosters: the members of a group, epoch by epoch, each naming the one before. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/group.h"

/* --- reading --- */

/* What one row must keep, given the rows before it. */
static int s_check_member (const members_t *self, const member_t *member, problem_t *problem)
{
    const char *wrong = NULL;
    if (pubkey_is_zero (&member->id) || pubkey_is_zero (&member->curve))
        wrong = "a key is zero";
    else if (self->count > 0 && pubkey_compare (&self->members[self->count - 1].id, &member->id) >= 0)
        wrong = "not sorted by id, or there twice";
    else if (members_find_curve (self, &member->curve) >= 0)
        wrong = "two members have one link key";
    else if (!text_is_name (member->name))
        wrong = "not a name";
    else if (member->since_epoch == 0 || member->since_epoch > self->epoch)
        wrong = "member since an epoch that was not";
    else if (member->revoked_epoch != 0 &&
             (member->revoked_epoch <= member->since_epoch || member->revoked_epoch > self->epoch))
        wrong = "revoked with an epoch that was not";
    if (wrong == NULL)
        return 0;
    problem_set (problem, "roster: member %zu: %s", self->count + 1, wrong);
    return ERROR_MALFORMED;
}

static void s_put_member (members_t *self, const member_t *member)
{
    assert (self->count < LIMIT_MEMBERS);
    assert (member->since_epoch > 0 && member->since_epoch <= self->epoch);
    assert (self->count == 0 || pubkey_compare (&self->members[self->count - 1].id, &member->id) < 0);
    struct members_entry *entry = &self->members[self->count++];
    entry->id = member->id;
    entry->curve = member->curve;
    text_copy (member->name, entry->name, sizeof entry->name);
    entry->admin = member->role == 1;
    entry->since_epoch = member->since_epoch;
    entry->revoked_epoch = member->revoked_epoch;
}

static int s_fill (members_t *self, const message_t *message, const group_t *group, problem_t *problem)
{
    const roster_t *roster = &message->as.roster;
    if (!digest_equal (&message->head.group, &group->group)) {
        problem_set (problem, "roster: of another group");
        return ERROR_GROUP;
    }
    if (message->head.epoch == 0 || (message->head.epoch == 1) != digest_is_zero (&roster->previous)) {
        problem_set (problem, "roster: epoch 1 follows none, every other follows one");
        return ERROR_MALFORMED;
    }
    self->epoch = message->head.epoch;
    self->seq = message->head.seq;
    self->time_ms = message->head.time_ms;
    self->publication = roster->publication;
    self->previous = roster->previous;
    for (size_t i = 0; i < roster->members.count; i++) {
        int rc = s_check_member (self, &roster->members.items[i], problem);
        if (rc != 0)
            return rc;
        s_put_member (self, &roster->members.items[i]);
    }
    return 0;
}

int members_open (bytes_t packed, const group_t *group, members_t *self, problem_t *problem)
{
    message_t message;
    pubkey_t author;
    memset (self, 0, sizeof *self);
    int rc = statement_open (packed, MESSAGE_ROSTER, &message, &author, problem);
    if (rc != 0) {
        problem_prefix (problem, "roster");
        return rc;
    }
    rc = s_fill (self, &message, group, problem);
    message_clear (&message);
    if (rc == 0) {
        self->author = author;
        self->id =
            statement_id (packed.data, packed.size - SEAL_BYTES, packed.data + packed.size - SEAL_BYTES);
        buffer_append (&self->packed, packed.data, packed.size);
        rc = self->packed.failed ? ERROR_MEMORY : 0;
    }
    if (rc != 0)
        members_clear (self);
    return rc;
}

void members_clear (members_t *self)
{
    assert (self != NULL && self->count <= LIMIT_MEMBERS);
    buffer_clear (&self->packed);
    memset (self, 0, sizeof *self);
}

/* --- asking --- */

int members_find (const members_t *self, const pubkey_t *id)
{
    assert (self->count <= LIMIT_MEMBERS);
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = pubkey_compare (&self->members[middle].id, id);
        if (order == 0)
            return (int)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int members_find_curve (const members_t *self, const pubkey_t *curve)
{
    assert (self->count <= LIMIT_MEMBERS);
    for (size_t i = 0; i < self->count; i++)
        if (pubkey_equal (&self->members[i].curve, curve))
            return (int)i;
    return -1;
}

bool members_has (const members_t *self, const pubkey_t *id)
{
    int i = members_find (self, id);
    return i >= 0 && self->members[i].revoked_epoch == 0;
}

bool members_is_admin (const members_t *self, const pubkey_t *id)
{
    int i = members_find (self, id);
    return i >= 0 && self->members[i].admin && self->members[i].revoked_epoch == 0;
}

size_t members_live (const members_t *self)
{
    size_t live = 0;
    for (size_t i = 0; i < self->count; i++)
        live += self->members[i].revoked_epoch == 0;
    return live;
}

/* Admins that are not revoked. Without one, nobody could ever admit or revoke again. */
static size_t s_admins (const members_t *self)
{
    size_t admins = 0;
    for (size_t i = 0; i < self->count; i++)
        admins += self->members[i].admin && self->members[i].revoked_epoch == 0;
    return admins;
}

/* --- following --- */

static bool s_is_first (const members_t *next, const group_t *group)
{
    return pubkey_equal (&next->author, &group->founder) && next->count == 1 &&
           pubkey_equal (&next->members[0].id, &group->founder) && next->members[0].admin &&
           next->members[0].since_epoch == 1;
}

/* True if what `next` says of a member fits what `now` says: everybody that was there is there, and epochs that were
 * written stay written. Link key, name and role may change. */
static bool s_keeps_members (const members_t *now, const members_t *next)
{
    assert (next->epoch > now->epoch);
    size_t kept = 0;
    for (size_t i = 0; i < next->count; i++) {
        const struct members_entry *entry = &next->members[i];
        int at = members_find (now, &entry->id);
        if (at < 0) {
            if (entry->since_epoch != next->epoch)
                return false;
            continue;
        }
        const struct members_entry *before = &now->members[at];
        bool is_revoked_now = before->revoked_epoch == 0 && entry->revoked_epoch == next->epoch;
        if (entry->since_epoch != before->since_epoch ||
            (entry->revoked_epoch != before->revoked_epoch && !is_revoked_now))
            return false;
        kept++;
    }
    return kept == now->count;
}

int members_follows (const members_t *now, const members_t *next, const group_t *group)
{
    assert (next->epoch > 0 && group != NULL);
    if (now == NULL)
        return next->epoch != 1 ? ERROR_CONFLICT : s_is_first (next, group) ? 0 : ERROR_DENIED;
    if (next->epoch < now->epoch || digest_equal (&next->id, &now->id))
        return ERROR_STALE;
    if (next->epoch != now->epoch + 1 || !digest_equal (&next->previous, &now->id))
        return ERROR_CONFLICT;
    return members_is_admin (now, &next->author) && s_keeps_members (now, next) && s_admins (next) > 0
               ? 0
               : ERROR_DENIED;
}

/* --- making --- */

/* Signs the rows of `draft` as the roster of its epoch and reads that back, so that `draft` is what others will see. */
static int s_sign (members_t *draft, const group_t *group, const identity_t *admin)
{
    assert (draft->count > 0 && draft->count <= LIMIT_MEMBERS);
    assert (draft->packed.data == NULL);
    member_t *rows = calloc (LIMIT_MEMBERS, sizeof *rows);
    if (rows == NULL)
        return ERROR_MEMORY;
    for (size_t i = 0; i < draft->count; i++) {
        const struct members_entry *entry = &draft->members[i];
        rows[i] = (member_t){.id = entry->id,
                             .curve = entry->curve,
                             .name = text_of (entry->name),
                             .role = entry->admin,
                             .since_epoch = entry->since_epoch,
                             .revoked_epoch = entry->revoked_epoch};
    }
    roster_t roster = {.publication = draft->publication,
                       .previous = draft->previous,
                       .members = {.items = rows, .count = draft->count}};
    head_t head = {.kind = MESSAGE_ROSTER,
                   .group = group->group,
                   .epoch = draft->epoch,
                   .seq = draft->seq,
                   .time_ms = draft->time_ms};
    buffer_t packed = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (admin, &head, &roster, &packed, seal);
    buffer_append (&packed, seal, sizeof seal);
    int rc = ERROR_MEMORY;
    if (!packed.failed)
        rc = members_open (bytes_of (packed.data, packed.size), group, draft, NULL);
    assert (rc == 0 || rc == ERROR_MEMORY);
    free (rows);
    buffer_clear (&packed);
    return rc;
}

int members_found (members_t *self, const group_t *group, const identity_t *founder, const pubkey_t *curve,
                   const char *name, uint64_t seq, uint64_t publication, uint64_t time_ms)
{
    assert (pubkey_equal (&founder->id, &group->founder) && text_is_name (text_of (name)));
    memset (self, 0, sizeof *self);
    self->epoch = 1;
    self->seq = seq;
    self->publication = publication;
    self->time_ms = time_ms;
    self->count = 1;
    struct members_entry *entry = &self->members[0];
    *entry = (struct members_entry){.id = founder->id, .curve = *curve, .admin = true, .since_epoch = 1};
    text_copy (text_of (name), entry->name, sizeof entry->name);
    int rc = s_sign (self, group, founder);
    if (rc != 0)
        members_clear (self);
    return rc;
}

/* A copy of `self` as the roster after it, without its own statement; NULL when out of memory. */
static members_t *s_draft (const members_t *self, uint64_t seq, uint64_t publication, uint64_t time_ms)
{
    assert (self->epoch > 0 && self->epoch < UINT64_MAX);
    assert (self->count <= LIMIT_MEMBERS);
    members_t *draft = malloc (sizeof *draft);
    if (draft == NULL)
        return NULL;
    *draft = *self;
    draft->packed = (buffer_t){0};
    draft->previous = self->id;
    draft->epoch = self->epoch + 1;
    draft->seq = seq;
    draft->publication = publication;
    draft->time_ms = time_ms;
    return draft;
}

/* Signs `draft` and puts it in the place of `self`, which stays as it was on failure. Frees the draft. */
static int s_replace (members_t *self, members_t *draft, const group_t *group, const identity_t *admin)
{
    assert (draft->epoch == self->epoch + 1 && draft->count >= self->count);
    assert (digest_equal (&draft->previous, &self->id));
    int rc = s_sign (draft, group, admin);
    if (rc == 0) {
        assert (members_follows (self, draft, group) == 0);
        members_clear (self);
        *self = *draft;
    }
    free (draft);
    return rc;
}

int members_add (members_t *self, const group_t *group, const identity_t *admin, const pubkey_t *id,
                 const pubkey_t *curve, const char *name, uint64_t seq, uint64_t publication,
                 uint64_t time_ms)
{
    if (!members_is_admin (self, &admin->id))
        return ERROR_DENIED;
    if (pubkey_is_zero (id) || pubkey_is_zero (curve) || !text_is_name (text_of (name)))
        return ERROR_INPUT;
    if (members_find (self, id) >= 0 || members_find_curve (self, curve) >= 0)
        return ERROR_CONFLICT;
    if (self->count == LIMIT_MEMBERS)
        return ERROR_BOUND;
    members_t *draft = s_draft (self, seq, publication, time_ms);
    if (draft == NULL)
        return ERROR_MEMORY;
    size_t at = 0;
    while (at < draft->count && pubkey_compare (&draft->members[at].id, id) < 0)
        at++;
    struct members_entry *entry = &draft->members[at];
    memmove (entry + 1, entry, (draft->count - at) * sizeof *entry);
    draft->count++;
    *entry = (struct members_entry){.id = *id, .curve = *curve, .since_epoch = draft->epoch};
    text_copy (text_of (name), entry->name, sizeof entry->name);
    return s_replace (self, draft, group, admin);
}

int members_revoke (members_t *self, const group_t *group, const identity_t *admin, const pubkey_t *id,
                    uint64_t seq, uint64_t publication, uint64_t time_ms)
{
    if (!members_is_admin (self, &admin->id))
        return ERROR_DENIED;
    int at = members_find (self, id);
    if (at < 0)
        return ERROR_NOT_FOUND;
    if (self->members[at].revoked_epoch != 0)
        return ERROR_REVOKED;
    if (self->members[at].admin && s_admins (self) == 1)
        return ERROR_DENIED;
    members_t *draft = s_draft (self, seq, publication, time_ms);
    if (draft == NULL)
        return ERROR_MEMORY;
    draft->members[at].revoked_epoch = draft->epoch;
    return s_replace (self, draft, group, admin);
}
