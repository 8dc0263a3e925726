/* SPDX-License-Identifier: MPL-2.0 */
/* Knowledge packages: an improvement with the proof of where it came from. A package is a signed statement; the evidence in
 * it, the individual FEEDBACK and VALIDATION_RESULT statements behind the decision, is its certificate. Anybody can
 * check it offline, down to each signature. */
#ifndef EVOMESH_EVOLUTION_PACKAGE_H
#define EVOMESH_EVOLUTION_PACKAGE_H

#include "evolution/consensus.h"
#include "evolution/tree.h"
#include "evolution/validators.h"
#include "protocol/group.h"
#include "protocol/request.h"

/* What the evidence says, once every signature in it was checked. */
typedef struct {
    digest_t package;
    digest_t group;
    pubkey_t author;
    digest_t candidate;
    digest_t base;
    uint64_t epoch;   /* of the newest roster in it */
    uint64_t members; /* live ones at that epoch */
    tally_t feedback;
    consensus_t consensus;
    validation_tally_t validations;
    unsigned min_confirmations;
    bool
        alone; /* a group of one: no feedback and no validation, as its policy allows. Which epoch it was made in
                          * is the author's own word: nothing vouches for it, so it is worth a proposal, no more */
    bool unvalidated;    /* nobody measured it again, as the policy allows */
    unsigned signatures; /* how many were checked */
} package_report_t;

/* Told for each thing that was checked, for people: "feedback of abcd1234: approve". May be NULL. */
typedef void (package_line_fn) (void *context, const char *line);

/* Was `id` a member at `epoch`, as a roster of that epoch or of a later one says? No, if the roster is older: it can't say. */
bool package_member_at (const members_t *roster, uint64_t epoch, const pubkey_t *id);

/* How many were members at `epoch`; 0 if the roster is older than that. */
uint64_t package_members_at (const members_t *roster, uint64_t epoch);

/* Chooses what goes into a package of the evidence at hand: every VALIDATION_RESULT, and then as many FEEDBACK, in the order of
 * asking, as fit into `budget_bytes` and LIMIT_MEMBERS pieces. They are borrowed from the requests. 0, or ERROR_BOUND if not
 * even the results fit: leaving out one that refutes would be a lie. */
int package_gather (const request_t *feedback, const request_t *validation, size_t budget_bytes,
                    blob_t evidence[LIMIT_MEMBERS], size_t *count);

/* Opens a packed package and checks everything: the author's seal, the charter, rosters made by the founder, every piece of
 * evidence (signature, author a member at its epoch, the same candidate, base and evaluator, each author once; a result measured
 * performance), the trees against their ids, and that the evidence satisfies the group's policy. `group` is the group that is trusted, or
 * NULL to take the charter's word ("consistent, group unknown"). On success `package` holds the message (message_clear it) and the trees
 * are filled (tree_clear them). 0, or an error with the problem and nothing to clear. */
int package_verify (bytes_t packed, const group_t *group, message_t *package, tree_t *base, tree_t *candidate,
                    package_report_t *report, package_line_fn *line, void *context, problem_t *problem);

/* The confirmations that a policy asks for in a group with that many members: min (3, members − 1) unless it says. */
unsigned package_min_confirmations (const policy_t *policy, uint64_t members);

/* --- the file that `package export` writes: a packed package and the files it names, each under its hash --- */
#define PACKAGE_FILE_FIELDS(F, L, R)                     \
    F (R, TEXT, format, LIMIT_NAME) /* PACKAGE_FORMAT */ \
    F (R, BYTES, package, LIMIT_PACKAGE_BYTES)           \
    L (R, file_content, contents, 2 * LIMIT_EVOLVE_FILES)
#define FILE_CONTENT_FIELDS(F, L, R) F (R, BYTES, bytes, LIMIT_FILE_BYTES)
#define PACKAGE_FORMAT               "evomesh-package/1"
RECORD_STRUCT (file_content, FILE_CONTENT_FIELDS);
RECORD_STRUCT (package_file, PACKAGE_FILE_FIELDS);

/* The packed bytes' id: what the package is called. */
digest_t package_id (bytes_t packed);

#endif
