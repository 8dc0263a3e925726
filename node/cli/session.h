/* SPDX-License-Identifier: MPL-2.0 */
/* What commands open: the configuration, keys and store of the data directory, the running node, and what an abbreviated id
 * means. Each function tells what went wrong and returns CLI_FAILED, or CLI_DONE. */
#ifndef EVOMESH_NODE_CLI_SESSION_H
#define EVOMESH_NODE_CLI_SESSION_H

#include "node/agent.h"
#include "node/cli/output.h"
#include "node/config.h"
#include "node/io/membership.h"
#include "node/io/store.h"
#include "node/records.h"

#define SESSION_ID_CHARACTERS_MIN 4

/* --- files --- */

/* A whole file, malloc'ed and NUL-terminated behind `*size` bytes; NULL (told) if it can't be read or is longer than `bound`. */
char *session_read_file (const char *path, size_t bound, size_t *size);
/* Writes a file: beside it first, synced, then renamed over it. */
int session_write_file (const char *path, const void *bytes, size_t size, unsigned mode);
/* The same of a file that must not be there yet, also not made by somebody else meanwhile. */
int session_write_new (const char *path, const void *bytes, size_t size, unsigned mode);

/* --- the data directory --- */

/* Is a node there at all? */
int session_check (const cli_t *cli);
/* node.yaml, read and checked. On the heap, as it is large; the caller frees. NULL (told): no node there, or bad values. */
config_t *session_config (const cli_t *cli);
/* The store, to look at beside a running node. */
int session_open (const cli_t *cli, store_t **store);
/* The group that the node is in. The caller destroys it. */
int session_group (const cli_t *cli, store_t *store, joined_t **joined);
/* The group's manifest, from the pinned files in the store. On the heap; the caller frees. NULL (told). */
agent_t *session_agent (store_t *store, const joined_t *joined);
/* The same of the group that the store's node is in; NULL, untold, also if it is in none. */
agent_t *session_own_agent (store_t *store);
/* The tree that content `id` holds, under `*evaluator` (may be NULL). The caller clears it. */
int session_tree (store_t *store, const digest_t *id, tree_t *tree, digest_t *evaluator);
/* Were the files of that candidate dropped by retention? */
bool session_dropped (store_t *store, const digest_t *candidate);

/* --- the running node --- */

/* Asks the node, and waits for its answer up to 30 s; of one that is silent for 2 s it is told why that may be.
 * `arguments` (an object of texts; may be NULL) is released. `*result` is the caller's to release. */
int session_ask (const cli_t *cli, const char *command, json_t *arguments, json_t **result);
/* The same with a whole request, but for its command. */
int session_ask_with (const cli_t *cli, const char *command, json_t *request, json_t **result);
/* The same for the node of another directory. */
int session_ask_at (const char *directory, const char *command, json_t *request, json_t **result);
/* The node's answer if one runs and gives it at once, the caller's to release; else NULL, untold: for what is told beside what the
 * store says. */
json_t *session_try (const cli_t *cli, const char *command, json_t *arguments);
/* Asks the core and prints its answer: its text for people, the result as JSON with --json. */
int session_order (const cli_t *cli, const char *command, json_t *arguments);
/* Asks the person whether to go on, unless --yes was given. CLI_FAILED, told: no, or nobody can be asked; `yes_does` says what --yes
 * does then ("leaves"). */
int session_confirm (const cli_t *cli, const char *question, const char *yes_does);

/* --- ids --- */

/* The record that an id, or the first 4 or more of its characters, names in one of `tables`. Told: too short, no id, unknown,
 * ambiguous (with what it could be). `found` may be NULL. With TABLE_CANDIDATE also a candidate without a record of its own, which only
 * an improvement's record names. */
int session_find (store_t *store, const table_t *tables, size_t table_count, const char *text, table_t *found,
                  digest_t *id);
/* Opens the store, finds, closes. */
int session_find_once (const cli_t *cli, const table_t *tables, size_t table_count, const char *text,
                       digest_t *id);

/* A record by its key, decoded into `row`, whose texts live in `*bytes` (malloc'ed) and lists in `arena`. */
int session_record (store_t *store, table_t table, const record_t *record, const digest_t *key, void *row,
                    uint8_t **bytes, arena_t *arena);
/* The same, untold: its bytes, or NULL if it isn't there or can't be read. */
uint8_t *session_record_try (store_t *store, table_t table, const record_t *record, const digest_t *key,
                             void *row, arena_t *arena);

#endif
