/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/golden/golden.h"
#include "protocol/group.h"
#include "tests/lib/suite.h"

#include <jansson.h>

/* A vector, read from messages.json. */
typedef struct {
    const char *name, *sample;
    uint8_t seed[SEED_BYTES], seal[SEAL_BYTES];
    head_t head;
    digest_t id;
    uint8_t body[16384];
    size_t body_size;
    const json_t *fields;
} vector_t;

static json_t *s_load (void)
{
    json_error_t error;
    json_t *all = json_load_file (GOLDEN_FILE, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg (all != NULL, "%s:%d: %s", GOLDEN_FILE, error.line, error.text);
    ck_assert (json_is_array (all));
    return all;
}

static size_t s_hex (const json_t *object, const char *key, void *out, size_t size_max)
{
    const char *hex = json_string_value (json_object_get (object, key));
    ck_assert_msg (hex != NULL && strlen (hex) <= 2 * size_max, "%s", key);
    return suite_unhex (hex, out);
}

static uint64_t s_number (const json_t *object, const char *key)
{
    const json_t *value = json_object_get (object, key);
    ck_assert_msg (json_is_integer (value), "%s", key);
    return (uint64_t)json_integer_value (value);
}

static vector_t s_vector (const json_t *item)
{
    vector_t vector = {.name = json_string_value (json_object_get (item, "name")),
                       .sample = json_string_value (json_object_get (item, "sample")),
                       .fields = json_object_get (item, "fields")};
    const json_t *head = json_object_get (item, "head");
    ck_assert (vector.name != NULL && vector.sample != NULL && json_is_object (vector.fields));
    vector.head.kind = (unsigned)s_number (item, "kind");
    vector.head.epoch = s_number (head, "epoch");
    vector.head.seq = s_number (head, "seq");
    vector.head.time_ms = s_number (head, "time_ms");
    ck_assert_uint_eq (s_hex (head, "group", vector.head.group.bytes, DIGEST_BYTES), DIGEST_BYTES);
    ck_assert_uint_eq (s_hex (item, "seed", vector.seed, SEED_BYTES), SEED_BYTES);
    ck_assert_uint_eq (s_hex (item, "seal", vector.seal, SEAL_BYTES), SEAL_BYTES);
    ck_assert_uint_eq (s_hex (item, "id", vector.id.bytes, DIGEST_BYTES), DIGEST_BYTES);
    vector.body_size = s_hex (item, "body", vector.body, sizeof vector.body);
    return vector;
}

static void s_each (void (*check) (const vector_t *))
{
    json_t *all = s_load (), *item;
    size_t i;
    json_array_foreach (all, i, item)
    {
        vector_t vector = s_vector (item);
        check (&vector);
    }
    json_decref (all);
}

static void s_check_decodes (const vector_t *vector)
{
    message_t message;
    problem_t problem = {""};
    buffer_t printed = {0};
    ck_assert_msg (message_decode (vector->body, vector->body_size, &message, &problem) == 0, "%s %s: %s",
                   vector->name, vector->sample, problem.text);
    ck_assert_str_eq (message_info (message.head.kind)->name, vector->name);
    ck_assert_uint_eq (message.head.kind, vector->head.kind);
    ck_assert (digest_equal (&message.head.group, &vector->head.group));
    ck_assert (message.head.epoch == vector->head.epoch && message.head.seq == vector->head.seq);
    ck_assert_uint_eq (message.head.time_ms, vector->head.time_ms);
    golden_print_fields (message_info (message.head.kind)->record, &message.as, &printed);
    json_t *fields = json_loadb ((const char *)printed.data, printed.size, 0, NULL);
    ck_assert_msg (json_equal (fields, vector->fields), "%s %s says something else now: %.*s", vector->name,
                   vector->sample, (int)printed.size, printed.data);
    json_decref (fields);
    buffer_clear (&printed);
    message_clear (&message);
}

START_TEST (test_every_vector_still_says_what_it_said)
{
    s_each (s_check_decodes);
}
END_TEST

static void s_check_encodes (const vector_t *vector)
{
    message_t message;
    identity_t author;
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    ck_assert_int_eq (message_decode (vector->body, vector->body_size, &message, NULL), 0);
    identity_from_seed (vector->seed, &author);
    message_seal (&author, &message.head, &message.as, &body, seal);
    ck_assert_uint_eq (body.size, vector->body_size);
    ck_assert_mem_eq (body.data, vector->body, body.size);
    ck_assert_mem_eq (seal, vector->seal, SEAL_BYTES);
    ck_assert (statement_verify (vector->body, vector->body_size, vector->seal));
    digest_t id = statement_id (body.data, body.size, seal);
    ck_assert (digest_equal (&id, &vector->id));
    buffer_clear (&body);
    message_clear (&message);
}

START_TEST (test_what_every_vector_says_is_still_written_and_sealed_in_the_same_bytes)
{
    s_each (s_check_encodes);
}
END_TEST

static bool s_has (const json_t *all, const message_info_t *info, const char *sample)
{
    size_t i;
    json_t *item;
    json_array_foreach (all, i, item)
    {
        const char *name = json_string_value (json_object_get (item, "name"));
        const char *of = json_string_value (json_object_get (item, "sample"));
        if (s_number (item, "kind") == info->kind && strcmp (name, info->name) == 0 &&
            strcmp (of, sample) == 0)
            return true;
    }
    return false;
}

START_TEST (test_every_message_of_the_catalogue_has_its_vectors)
{
    json_t *all = s_load ();
    for (size_t i = 0; message_info_at (i) != NULL; i++) {
        ck_assert_msg (s_has (all, message_info_at (i), "empty"), "%s", message_info_at (i)->name);
        ck_assert_msg (s_has (all, message_info_at (i), "filled"), "%s", message_info_at (i)->name);
    }
    ck_assert (s_has (all, message_info (MESSAGE_CHARTER), "founded"));
    ck_assert (s_has (all, message_info (MESSAGE_ROSTER), "founded"));
    ck_assert (s_has (all, message_info (MESSAGE_ROSTER), "joined"));
    json_decref (all);
}
END_TEST

/* The three last vectors are a group that lives: a charter that opens, and two rosters of which one follows the other. */
START_TEST (test_the_golden_group_is_founded_and_joined)
{
    json_t *all = s_load ();
    size_t count = json_array_size (all);
    group_t group;
    members_t *members = calloc (2, sizeof *members);
    ck_assert_ptr_nonnull (members);
    for (size_t i = 0; i < 3; i++) {
        vector_t vector = s_vector (json_array_get (all, count - 3 + i));
        problem_t problem = {""};
        buffer_t packed = {0};
        statement_pack (vector.body, vector.body_size, vector.seal, &packed);
        bytes_t bytes = bytes_of (packed.data, packed.size);
        int error = i == 0 ? group_open (bytes, &group, &problem)
                           : members_open (bytes, &group, &members[i - 1], &problem);
        ck_assert_msg (error == 0, "%s", problem.text);
        buffer_clear (&packed);
    }
    ck_assert_int_eq (members_follows (NULL, &members[0], &group), 0);
    ck_assert_int_eq (members_follows (&members[0], &members[1], &group), 0);
    members_clear (&members[0]);
    members_clear (&members[1]);
    free (members);
    group_clear (&group);
    json_decref (all);
}
END_TEST

SUITE_MAIN ("golden", test_every_vector_still_says_what_it_said,
            test_what_every_vector_says_is_still_written_and_sealed_in_the_same_bytes,
            test_every_message_of_the_catalogue_has_its_vectors, test_the_golden_group_is_founded_and_joined)
