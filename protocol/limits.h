/* SPDX-License-Identifier: MPL-2.0 */
/* Every bound of evomesh, and what happens at it. */
#ifndef EVOMESH_PROTOCOL_LIMITS_H
#define EVOMESH_PROTOCOL_LIMITS_H

#include <stdint.h>

/* --- the wire: beyond these a statement is refused as malformed --- */
#define LIMIT_STATEMENT_BYTES 131072 /* body of one statement */
#define LIMIT_DEPTH           8      /* nesting of msgpack arrays */
#define LIMIT_TEXT            256    /* names, reasons, platform strings */
#define LIMIT_LONG_TEXT       4096   /* error messages, tails of stderr, descriptions */
#define LIMIT_ENDPOINT        128    /* "tcp://host:port" */
#define LIMIT_NAME            32     /* node, agent, objective, file-safe names */
#define LIMIT_PATH            200    /* path of a file inside an agent */

/* --- groups: a join beyond is refused as full --- */
#define LIMIT_MEMBERS     256
#define LIMIT_ENDPOINTS   4  /* addresses a node may advertise */
#define LIMIT_INVITE_USES 32 /* joins by one token */
#define LIMIT_INVITES     64 /* live invites of one node; older are dropped first */

/* --- agents and candidates: agent check and import refuse what is larger --- */
#define LIMIT_FILES        256                /* files in an agent, pinned and evolved */
#define LIMIT_EVOLVE_FILES 64                 /* files that a candidate may change */
#define LIMIT_FILE_BYTES   (1024 * 1024)      /* one evolve file */
#define LIMIT_AGENT_BYTES  (64 * 1024 * 1024) /* all files of an agent */
#define LIMIT_OBJECTIVES   16
#define LIMIT_CAPABILITIES 8
#define LIMIT_REASONS      8  /* reasons in one FEEDBACK */
#define LIMIT_PAIRS        32 /* measured pairs in one trial */
#define LIMIT_METADATA     16 /* entries of an event's metadata */

/* --- evaluators: the evaluation is invalid beyond --- */
#define LIMIT_OUTPUT_BYTES (1024 * 1024) /* stdout or stderr of an evaluator or proposer */
#define LIMIT_TAIL_BYTES   2048          /* of stderr, kept with a failure */

/* --- content by hash --- */
#define LIMIT_CHUNK_BYTES   65536
#define LIMIT_CONTENT_BYTES (4 * 1024 * 1024) /* one content: file, manifest, package */
#define LIMIT_PACKAGE_BYTES (512 * 1024)      /* a knowledge package without its files */
#define LIMIT_PULL          64                /* publications in one PULLED */

/* --- the node's tables: what comes beyond is declined as busy, or waits, as each user says --- */
#define LIMIT_SLOTS               256 /* evaluations side by side; node.yaml and --slots take no more */
#define LIMIT_IMPROVEMENTS        64  /* improvements under way; the last place is for a rollback */
#define LIMIT_TRIALS              64  /* measured comparisons under way, own and for peers */
#define LIMIT_VALIDATIONS         32  /* validations accepted from peers and not yet answered */
#define LIMIT_VALIDATIONS_OF_PEER 4   /* of which from one peer */
#define LIMIT_OUTBOX              1024 /* durable statements that wait for an acknowledgement; oldest dropped */
#define LIMIT_OUTBOX_OF_PEER      64   /* of which for one member; its own oldest dropped */
#define LIMIT_KNOWLEDGE           256 /* packages that wait; the oldest of who has the most is told busy */
#define LIMIT_KNOWLEDGE_OF_PEER   32  /* of which by one author; its own oldest is told busy */
#define LIMIT_TRIED \
    16384 /* packages whose outcome is remembered; the oldest is forgotten, and tried again if told of */
#define LIMIT_SHARED     1024 /* own packages whose adopters are counted; the oldest stays as counted */
#define LIMIT_OPERATIONS 256  /* effects whose result is awaited */
#define LIMIT_SNAPSHOTS  1024 /* kept in memory; older stay in the store */
#define LIMIT_RETESTS \
    64 /* of an own change, each as another release went live: all others under way may do so */

/* --- the journal --- */
#define LIMIT_CHECKPOINT_ENTRIES \
    4096 /* entries from one checkpoint to the next: what a restart steps again, at most twice as many where the newest is damaged */
#define LIMIT_CHECKPOINT_BYTES \
    (512 * 1024 * 1024) /* beyond, none is written: a restart steps what is behind the last one */

/* --- time --- */
#define FRESHNESS_MS         300000               /* age up to which a live statement counts */
#define SEQ_BLOCK            1024                 /* sequence numbers reserved on disk at a time */
#define SEQ_JUMP_MAX         (UINT64_C (1) << 32) /* what one peer's word makes us skip: no lie uses the numbers up */
#define PRESENCE_INTERVAL_MS 1000
#define SUSPECT_AFTER_MS     4000
#define LOST_AFTER_MS        10000
#define RECONNECT_MS_MIN     500
#define RECONNECT_MS_MAX     30000

/* --- bounds that others stand on --- */
_Static_assert(LIMIT_CHUNK_BYTES + LIMIT_LONG_TEXT <= LIMIT_STATEMENT_BYTES,
               "a chunk and its head fit in a statement");
_Static_assert(LIMIT_MEMBERS * 160 + LIMIT_LONG_TEXT <= LIMIT_STATEMENT_BYTES / 2,
               "a full roster fits in a HELLO");
_Static_assert(LIMIT_STATEMENT_BYTES <= LIMIT_PACKAGE_BYTES && LIMIT_PACKAGE_BYTES <= LIMIT_CONTENT_BYTES,
               "a package holds statements and is a content");

#endif
