/* SPDX-License-Identifier: MPL-2.0 */
/* Writes the seeds of the corpus, made from the catalogue: fuzz_seeds CORPUS. Run it after the wire changed; what a fuzzer
 * found is kept in the same folders under other names. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/group.h"
#include "protocol/invite.h"
#include "tests/lib/proof.h"
#include "tests/lib/rig.h"
#include "tests/lib/sample.h"

static const char *s_corpus;

static void s_write (const char *target, const char *name, const char *sample, const void *data, size_t size)
{
    char path[4096];
    snprintf (path, sizeof path, "%s/%s/%s-%s", s_corpus, target, name, sample);
    FILE *file = fopen (path, "wb");
    bool is_written = file != NULL && fwrite (data, 1, size, file) == size && fclose (file) == 0;
    if (!is_written) {
        perror (path);
        exit (EXIT_FAILURE);
    }
}

static void s_write_messages (void)
{
    const message_info_t *info;
    for (size_t i = 0; (info = message_info_at (i)) != NULL; i++) {
        buffer_t empty = sample_body (info->kind, SAMPLE_LEAST),
                 filled = sample_body (info->kind, SAMPLE_TYPICAL);
        s_write ("message", info->name, "empty", empty.data, empty.size);
        s_write ("message", info->name, "filled", filled.data, filled.size);
        if (i % 8 == 0)
            s_write ("wire", info->name, "filled", filled.data, filled.size);
        buffer_clear (&empty);
        buffer_clear (&filled);
    }
}

/* Every form in one value, and the promises of FACTS: few bytes for which an unpacker reserves gigabytes. */
static void s_write_wire (void)
{
    static const uint8_t forms[] =
        "\x9a\x00\xcc\x80\xcd\x01\x00\xce\x00\x01\x00\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00"
        "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xc0\xa1"
        "a\xc4\x01\x01\x91\x90";
    static const uint8_t wide[] = "\xdd\x01\xff\xff\xff";
    uint8_t deep[155];
    for (size_t i = 0; i < sizeof deep; i += 5)
        memcpy (deep + i, wide, 5);
    s_write ("wire", "forms", "all", forms, sizeof forms - 1);
    s_write ("wire", "promise", "wide", wide, 5);
    s_write ("wire", "promise", "deep", deep, sizeof deep);
}

static void s_write_invite (void)
{
    static const char *const names[] = {"empty", "filled", "most"};
    for (sample_t sample = SAMPLE_TYPICAL; sample <= SAMPLE_MOST; sample++) {
        arena_t arena = {0};
        buffer_t record = {0};
        invite_t invite;
        char text[INVITE_TEXT_MAX];
        sample_fill (&invite_record, sample, &arena, &invite);
        record_encode (&invite_record, &invite, &record);
        int error = invite_text (&invite, text, sizeof text);
        assert (error == 0);
        s_write ("invite", "token", names[sample], text, strlen (text));
        s_write ("invite", "record", names[sample], record.data, record.size);
        buffer_clear (&record);
        arena_clear (&arena);
    }
}

static void s_write_roster (void)
{
    identity_t founder = sample_identity (1);
    policy_t policy = policy_default ();
    digest_t none = {{0}};
    group_t group;
    members_t *members = malloc (sizeof *members);
    assert (members != NULL);
    pubkey_t curve = sample_curve (1);
    int error = group_found (&group, &founder, "packers", "binpack", &none, &none, &policy, 1);
    assert (error == 0);
    error = members_found (members, &group, &founder, &curve, "node-1", 1, 1, 1);
    for (uint8_t n = 2; n <= 6 && error == 0; n++) {
        char name[16];
        pubkey_t id = sample_identity (n).id, link = sample_curve (n);
        snprintf (name, sizeof name, "epoch-%u", n - 1u);
        s_write ("roster", "members", name, members->packed.data, members->packed.size - SEAL_BYTES);
        error = members_add (members, &group, &founder, &id, &link, name, n, n, n);
        if (error == 0 && n == 4)
            error = members_revoke (members, &group, &founder, &id, n, n, n);
    }
    assert (error == 0);
    members_clear (members);
    free (members);
    group_clear (&group);
}

static void s_write_proof (const proof_t *proof, const char *name)
{
    buffer_t packed = {0};
    proof_pack (proof, &packed);
    s_write ("package", "proof", name, packed.data, packed.size - SEAL_BYTES);
    buffer_clear (&packed);
}

/* One that holds, one that its policy lets pass, one of a founder alone, one that a member revoked since voted for. */
static void s_write_package (void)
{
    policy_t policy = policy_default ();
    policy.allow_unvalidated = 1;
    proof_t *proof = proof_new (NULL), *lax = proof_new (&policy), *alone = proof_new (NULL);
    s_write_proof (proof, "whole");
    proof_revoke (proof, 4);
    s_write_proof (proof, "revoked");
    lax->vote_count = 3;
    lax->votes[0].feedback.recommendation = 1;
    s_write_proof (lax, "unvalidated");
    alone->vote_count = alone->package.asked.count = 0;
    alone->person = 1;
    alone->package.source_agent = alone->people[1].id;
    alone->head.epoch = 1;
    s_write_proof (alone, "alone");
    proof_destroy (&proof);
    proof_destroy (&lax);
    proof_destroy (&alone);
}

static void s_write_node (const rig_t *rig, const char *name)
{
    buffer_t saved = {0};
    node_save (rig->nodes[0].node, &saved);
    s_write ("checkpoint", "node", name, saved.data, saved.size);
    buffer_clear (&saved);
}

/* A node that has just started, one that measures, one that has shared and been told of packages. */
static void s_write_checkpoint (void)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0), worse = *rig_candidate (rig, "worse", 1.1, 0);
    s_write_node (rig, "started");
    rig_propose (rig, 0, &worse);
    rig_settle (rig);
    rig->nodes[0].rules.hold_evaluations = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    s_write_node (rig, "measures");
    rig->nodes[0].rules.hold_evaluations = false;
    rig->nodes[2].rules.deaf = true;
    rig_release (rig, 0);
    rig_pass (rig, 1000);
    s_write_node (rig, "asks");
    rig->nodes[2].rules.deaf = false;
    rig_pass (rig, 60000);
    s_write_node (rig, "shared");
    rig_destroy (&rig);
}

int main (int argc, char **argv)
{
    if (argc != 2) {
        fprintf (stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    s_corpus = argv[1];
    s_write_messages ();
    s_write_wire ();
    s_write_invite ();
    s_write_roster ();
    s_write_package ();
    s_write_checkpoint ();
    return EXIT_SUCCESS;
}
