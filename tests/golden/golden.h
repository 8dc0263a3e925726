/* SPDX-License-Identifier: MPL-2.0 */
/* Golden vectors: messages in exact bytes, beside what they say, for every message of the catalogue. They are kept in
 * messages.json; whoever writes a peer checks it against them, and no change of the wire passes unseen. */
#ifndef EVOMESH_TESTS_GOLDEN_GOLDEN_H
#define EVOMESH_TESTS_GOLDEN_GOLDEN_H

#include "protocol/message.h"

/* Appends the record as JSON: numbers as numbers, nil as null, texts as strings, digests, keys and bytes in lower-case hex,
 * lists as arrays of objects. */
void golden_print_fields (const record_t *record, const void *value, buffer_t *out);

/* Appends one vector: kind, name, sample, the author's seed, head, fields, body, seal, id. */
void golden_print (const char *sample, const uint8_t seed[SEED_BYTES], const head_t *head, const void *fields,
                   buffer_t *out);

/* Appends the whole file: two samples of every kind (all fields empty; all filled), a founded group's charter, and the rosters
 * of its first two epochs. */
void golden_print_all (buffer_t *out);

#endif
