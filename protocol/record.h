/* SPDX-License-Identifier: MPL-2.0 */
/* Records: bounded, typed rows of fields, declared once and encoded as msgpack arrays. Messages, packages, events, effects,
 * journal and store entries are all records: a list of fields gives the struct, the codec, the printed form and the table
 * in docs/PROTOCOL.md.
 *
 *   #define GREETING_FIELDS(F, L, R) \
 *       F (R, DIGEST, group, 0)      \
 *       F (R, TEXT, name, 32)        \
 *       L (R, friend, friends, 8)
 *   RECORD_STRUCT (greeting, GREETING_FIELDS)      → greeting_t, with friends.items and friends.count
 *   RECORD_TABLE (greeting, GREETING_FIELDS);      → greeting_record, in one .c file
 *
 * TEXT and BYTES point into the decoded buffer, lists into the arena: a decoded record lives as long as both. */
#ifndef EVOMESH_PROTOCOL_RECORD_H
#define EVOMESH_PROTOCOL_RECORD_H

#include "crypto/identity.h"
#include "protocol/error.h"
#include "protocol/limits.h"

/* --- values of fields --- */
typedef struct {
    const char *data; /* not terminated; may be NULL when size is 0 */
    size_t size;
} text_t;
typedef struct {
    const uint8_t *data;
    size_t size;
} bytes_t;

typedef enum {
    FIELD_UINT,   /* uint64_t up to `bound` (0: any): minimal msgpack integer */
    FIELD_REAL,   /* double, finite: msgpack float 64 */
    FIELD_NUMBER, /* double or nil; nil is NaN in the struct */
    FIELD_DIGEST, /* digest_t: bin of 32 */
    FIELD_KEY,    /* pubkey_t: bin of 32 */
    FIELD_TEXT,   /* text_t as text_valid has it, up to `bound` bytes: str */
    FIELD_BYTES,  /* bytes_t up to `bound` bytes: bin */
    FIELD_LIST    /* up to `bound` records of one type: array of arrays */
} field_type_t;

typedef uint64_t field_UINT_t;
typedef double field_REAL_t;
typedef double field_NUMBER_t;
typedef digest_t field_DIGEST_t;
typedef pubkey_t field_KEY_t;
typedef text_t field_TEXT_t;
typedef bytes_t field_BYTES_t;

typedef struct record record_t;
typedef struct {
    const char *name;
    field_type_t type;
    size_t offset; /* in the struct */
    uint64_t bound;
    const record_t *of; /* LIST: what its items are */
} field_t;

struct record {
    const char *name;
    size_t size; /* of the struct */
    const field_t *fields;
    size_t field_count;
};

#define RECORD_MEMBER_F(R, TYPE, name, bound) field_##TYPE##_t name;
#define RECORD_MEMBER_L(R, item, name, bound) \
    struct {                                  \
        const item##_t *items;                \
        size_t count;                         \
    } name;
#define RECORD_STRUCT(R, FIELDS)                     \
    typedef struct R R##_t;                          \
    struct R {                                       \
        FIELDS (RECORD_MEMBER_F, RECORD_MEMBER_L, R) \
    };                                               \
    extern const record_t R##_record

#define RECORD_ROW_F(R, TYPE, name, bound) {#name, FIELD_##TYPE, offsetof (struct R, name), bound, NULL},
#define RECORD_ROW_L(R, item, name, bound) \
    {#name, FIELD_LIST, offsetof (struct R, name), bound, &item##_record},
#define RECORD_TABLE(R, FIELDS)                                                   \
    static const field_t R##_fields[] = {FIELDS (RECORD_ROW_F, RECORD_ROW_L, R)}; \
    const record_t R##_record = {#R, sizeof (struct R), R##_fields, sizeof R##_fields / sizeof R##_fields[0]}

/* --- a growable buffer of bytes; zero-initialise, buffer_clear frees --- */
typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed; /* out of memory at some point: what is there is not whole */
} buffer_t;
void buffer_clear (buffer_t *self);
void buffer_append (buffer_t *self, const void *data, size_t size);

/* --- an arena for decoded lists; zero-initialise, arena_clear frees all at once --- */
typedef struct {
    struct arena_block *blocks;
    size_t total;
} arena_t;
void *arena_alloc (arena_t *self, size_t size); /* aligned for anything, zeroed; NULL when out of memory */
void arena_clear (arena_t *self);

/* --- encoding. The record's values must keep their bounds (asserted: they are ours). --- */

/* Appends `value` as one msgpack array. */
void record_encode (const record_t *record, const void *value, buffer_t *out);
/* Appends only its fields, for a body that starts with a head (message.h). */
void record_encode_fields (const record_t *record, const void *value, buffer_t *out);

/* --- decoding: for bytes that came from outside. Strict: exact length and count, bounds, minimal integers, finite
 * reals, valid UTF-8, no other types. Nothing is allocated before the count was checked against the bytes left. --- */

/* 0, ERROR_MALFORMED, ERROR_BOUND or ERROR_MEMORY; on failure `value` is zeroed and `problem` (may be NULL) names the field, what
 * was found and what was expected. */
int record_decode (const record_t *record, const uint8_t *data, size_t size, void *value, arena_t *arena,
                   problem_t *problem);

/* The same as part of a longer array: reads the record's fields from `*at` and moves it on. */
int record_decode_fields (const record_t *record, const uint8_t **at, const uint8_t *end, void *value,
                          arena_t *arena, problem_t *problem);

/* --- printing --- */

/* Appends the record as one JSON object, its keys the fields' names; digests and keys in base32, or null if
 * they are all zero, which means none; bytes as their size and digest. */
void record_print_json (const record_t *record, const void *value, buffer_t *out);

/* --- small helpers --- */
text_t text_of (const char *string); /* borrowed; NULL gives an empty text */
bool text_equal (text_t text, const char *string);
/* A count with its noun, which is given in the singular: "1 pair", "2 pairs", "0 entries". */
#define COUNTED_BYTES 64
typedef struct {
    char text[COUNTED_BYTES];
} counted_t;
counted_t text_counted (uint64_t count, const char *noun);
/* Copies at most size − 1 bytes and terminates; true if all fitted. */
bool text_copy (text_t text, char *out, size_t size);
bytes_t bytes_of (const void *data, size_t size);
/* True if it is UTF-8 as RFC 3629 has it, without control characters but newline and tab. */
bool text_valid (text_t text);
/* Makes a text valid and short enough, so that it may stand in a record: what is not allowed becomes '?', and it is cut
 * between two characters. Writes at most size − 1 bytes and a terminator to `out`; returns the text there. */
text_t text_clean (text_t text, char *out, size_t size);
/* True for a name: 1 to LIMIT_NAME of A–Z a–z 0–9 _ - . of which the first is none of the last two. */
bool text_is_name (text_t text);

#endif
