/* SPDX-License-Identifier: MPL-2.0 */
/* The node's state and the parts of its step, for node/node*.c only. One file for each stretch of an improvement's way:
 *
 *   node.c            step, dispatch, deadline              node_apply.c      snapshot, apply, verify
 *   node_start.c      STARTED: config, what was under way   node_rollback.c   go back
 *   node_say.c        statements, events, operations        node_share.c      make and send packages
 *   node_improve.c    places, lifecycle moves, rows         node_knowledge.c  peers' packages
 *   node_propose.c    proposals                             node_group.c      roster, invites, joins
 *   node_enter.c      what may enter as a candidate
 *   node_trial.c      measured comparisons, slots           node_command.c    what the operator wants
 *   node_review.c     feedback, both sides                  node_status.c     looking at it
 *   node_validate.c   validation, the asking side           node_serve.c      validation, the measuring side */
#ifndef EVOMESH_NODE_NODE_STATE_H
#define EVOMESH_NODE_NODE_STATE_H

#include "evolution/archive.h"
#include "evolution/compatibility.h"
#include "evolution/consensus.h"
#include "evolution/improvement.h"
#include "evolution/learning_rate.h"
#include "evolution/package.h"
#include "evolution/spending.h"
#include "evolution/trial.h"
#include "evolution/validators.h"
#include "node/job.h"
#include "node/node.h"
#include "node/parcel.h"
#include "node/records.h"
#include "protocol/request.h"
#include "protocol/wire.h"

#define NONE SIZE_MAX /* index of nothing */

/* --- operations: effects whose result is awaited. Their bytes are kept, so that a restart can ask again. --- */
typedef enum {
    OWNER_NODE,        /* the node itself: proposals, its baseline */
    OWNER_IMPROVEMENT, /* `owner`: index into improvements */
    OWNER_TRIAL,       /* index into trials */
    OWNER_JOB,         /* index into jobs (validations for peers) */
    OWNER_PARCEL       /* index into parcels (peers' packages) */
} owner_t;
typedef struct {
    uint64_t id; /* 0: free */
    effect_kind_t kind;
    owner_t owner;
    size_t index;
    buffer_t effect; /* encoded fields */
} operation_t;

typedef enum { ORIGIN_PROPOSER, ORIGIN_OPERATOR, ORIGIN_PACKAGE } origin_t;

typedef struct {
    bool used;
    digest_t id;
    improvement_state_t state;
    origin_t origin;
    pubkey_t author; /* who proposed it first: us, or the package's author */
    digest_t package;
    size_t parcel;  /* index of the package's parcel while it is tried; NONE */
    bool certified; /* the package's own certificate covers exactly this candidate */
    digest_t candidate;
    digest_t parent;
    size_t island;   /* it was bred on; ARCHIVE_EVERYWHERE */
    digest_t tokens; /* of its files but for comments and spaces; zero: not known */
    digest_t base;   /* the live release that it was compared with */
    buffer_t tree;   /* the candidate's encoded list of files */
    buffer_t base_tree;
    improvement_type_t type;
    char description[LIMIT_TEXT + 1];
    char model[LIMIT_TEXT + 1]; /* that proposed it; empty: none did */
    spending_t spent;           /* on it, by that */
    reason_code_t reason;
    char detail[LIMIT_TEXT + 1];
    bool measured;
    trial_result_t result;
    size_t trial; /* index of its running trial; NONE */
    bool waits;   /* passed its test, waits for its turn (review gate, peers, live release) */
    request_t feedback;
    consensus_t consensus;
    bool reviewed;
    request_t validation;
    uint64_t held_until_ms;
    digest_t snapshot;
    metrics_t baseline;     /* what was live before it was applied */
    uint64_t breaker_trial; /* token by which it is, or once was, the trial of a half-open breaker; 0 */
    bool revived;           /* final before, and back to be rolled back: its row keeps what was proved */
    uint64_t created_ms;
} improvement_t;

/* An improvement that is live, or was: enough to roll it back. */
typedef struct {
    digest_t snapshot;
    digest_t before; /* release before */
    digest_t after;
    digest_t improvement;
    improvement_state_t state;
    metrics_t baseline;
    buffer_t row; /* its improvement_row, encoded */
} applied_t;

/* --- a measured comparison and who wants it --- */
typedef struct {
    bool used;
    trial_t trial;
    owner_t owner; /* OWNER_NODE: the baseline; OWNER_IMPROVEMENT; OWNER_JOB */
    size_t index;
    digest_t candidate;
    digest_t base;
    bool foreign;
    bool live;     /* runs of the candidate are runs of the live copy */
    unsigned rank; /* who goes first when a slot is free: lower first */
    uint64_t order;
    uint64_t operation; /* the running one; 0 */
    trial_want_t running;
    reason_code_t reason; /* why a run was invalid */
    char detail[LIMIT_TEXT + 1];
} comparison_t;
enum { RANK_LIVE, RANK_PEER, RANK_PACKAGE, RANK_OWN };

/* What was measured here of a pair, so that it isn't measured twice. */
typedef struct {
    digest_t candidate;
    digest_t base;
    reason_code_t reason;
    bool measured;
    trial_result_t result;
} measurement_t;
#define MEASUREMENTS 64 /* the oldest is forgotten */

/* What became of a package: so that it is tried once. */
typedef struct {
    digest_t package;
    pubkey_t author;
    bool adopted;
    reason_code_t reason;
} tried_t;

/* An own package, and who adopted it. */
typedef struct {
    digest_t package;
    uint64_t sent;
    pubkey_t *adopters;
    size_t adopter_count;
} shared_t;

/* --- a durable statement that waits for its acknowledgement --- */
typedef struct {
    digest_t id; /* zero: free */
    pubkey_t to;
    digest_t subject; /* what it says of what; zero: nothing that could be asked for again */
    buffer_t packed;
    uint64_t retry_ms;
    uint64_t order;
} parting_t;

typedef struct {
    pubkey_t curve;
    pubkey_t bound_to;
    uint64_t expires_ms; /* UTC */
    uint64_t uses;
    pubkey_t joined[LIMIT_INVITE_USES];
    size_t joined_count;
} invitation_t;

typedef struct {
    pubkey_t id;
    bool up;
    uint64_t proved_epoch; /* ours, when it was proved to have said two things under one number; 0: never */
    validator_t record;
    unsigned adopted; /* packages of it that we adopted, and that failed here */
    unsigned failed;
    uint64_t publication; /* the newest of its publications that was taken in */
    uint64_t served;      /* rank of its parcel that was taken up last */
} known_peer_t;

/* A proposer, and how it does. */
typedef struct {
    double share;
    unsigned parallel;  /* as in proposer_row_t */
    unsigned running;   /* its proposals under way */
    unsigned fruitless; /* its proposals in a row that gave nothing new */
    uint64_t after_ms;  /* it isn't asked before */
    bool exhausted;     /* its budget is spent: it isn't asked again before the next STARTED */
} proposer_t;

/* The settings of the last STARTED. */
typedef struct {
    char name[LIMIT_NAME + 1];
    char platform[LIMIT_TEXT + 1];
    char language[LIMIT_NAME + 1];
    pubkey_t curve;
    struct {
        char rpc[LIMIT_ENDPOINT + 1];
        char pub[LIMIT_ENDPOINT + 1];
    } addresses[LIMIT_ENDPOINTS];
    size_t address_count;
    size_t proposer_count;
    uint64_t timeout_ms;
    uint64_t slots;
    selection_t selection;
    islands_t islands;
    uint64_t proposals_max;
    bool confined;
    bool automatic_rollback;
    bool auto_share;
    double compatibility_threshold;
    uint64_t transfer_attempts_max;
    bool validate_for_peers;
} settings_t;

struct node {
    identity_t identity;
    bool started;
    uint64_t now_ms; /* of the event in hand */
    uint64_t wall_ms;
    effects_t *out; /* of the step in hand; NULL: they are thrown away */
    group_t group;
    members_t *members;
    settings_t settings;
    objectives_t objectives;
    random_t random;
    uint64_t seq;         /* the last one used (even) */
    uint64_t publication; /* the last one used */
    uint64_t operation;   /* the last id used */
    uint64_t order;       /* the last rank of arrival given */
    bool paused;
    bool stopped;
    /* the live release */
    digest_t live;
    buffer_t live_tree;
    metrics_t live_metrics;
    metrics_t start_metrics;
    bool baseline_known;
    bool baseline_running;
    uint64_t baseline_retry_ms;
    archive_t *archive;
    learning_rate_t learning;
    breaker_t breaker;
    bool last_fault_was_apply;
    operation_t operations[LIMIT_OPERATIONS];
    improvement_t improvements[LIMIT_IMPROVEMENTS];
    comparison_t comparisons[LIMIT_TRIALS];
    job_t jobs[LIMIT_VALIDATIONS];
    measurement_t measurements[MEASUREMENTS];
    size_t measurement_next;
    parcel_t parcels[LIMIT_KNOWLEDGE];
    tried_t *tried;
    size_t tried_count;
    parting_t outbox[LIMIT_OUTBOX];
    size_t outbox_used; /* places from here on are free */
    invitation_t invitations[LIMIT_INVITES];
    size_t invitation_count;
    known_peer_t *peers;
    size_t peer_count;
    shared_t *shared;
    size_t shared_count;
    applied_t *applied;
    size_t applied_count;
    reason_code_t last_rejected; /* why, for who proposed it and waits for the answer */
    proposer_t proposers[LIMIT_CAPABILITIES];
    uint64_t proposals_made; /* by proposers: what proposals_max bounds */
    node_status_t counts;    /* only its counters are kept up; the rest is filled by node_status */
};

/* A moment `wait_ms` after another; never rather than a time that wrapped: both may come from outside. */
static inline uint64_t time_after_ms (uint64_t from_ms, uint64_t wait_ms)
{
    return wait_ms < UINT64_MAX - from_ms ? from_ms + wait_ms : UINT64_MAX;
}

/* --- node_say.c --- */
head_t say_head (node_t *self, unsigned kind);
/* Seals a message of ours with the next seq. Returns its id. */
digest_t say_statement (node_t *self, unsigned kind, const void *fields, buffer_t *body,
                        uint8_t seal[SEAL_BYTES]);
/* Seals and sends; to a member over our link. Returns the statement's id. */
digest_t say_to (node_t *self, const pubkey_t *peer, unsigned kind, const void *fields);
/* A quick reply: over the connection on which the member spoke. Kept first if it is of a durable kind. */
void say_back (node_t *self, const pubkey_t *peer, unsigned kind, const void *fields);
/* Seals, keeps, and sends until the addressee acknowledges. Not what waits for that already, and not to who was revoked. */
void say_durably (node_t *self, const pubkey_t *peer, unsigned kind, const void *fields);
/* Gives up what waits for a member that was revoked. */
void say_outbox_forget (node_t *self, const pubkey_t *peer);
void say_acknowledge (node_t *self, const pubkey_t *peer, const digest_t *statement);
void say_acknowledged (node_t *self, const pubkey_t *peer, const digest_t *statement);
void say_outbox_up (node_t *self, const pubkey_t *peer);
void say_outbox_tick (node_t *self);
uint64_t say_outbox_deadline_ms (const node_t *self);
/* Publishes a message whose `publication` field the caller set to say_next_publication. */
uint64_t say_next_publication (node_t *self);
void say_publish (node_t *self, unsigned kind, const void *fields, uint64_t publication);
/* An event of ours: to the store, to watchers, and to the group. `metadata` may be NULL. */
void say_event (node_t *self, event_type_t type, const digest_t *modification, double improvement,
                const char *error, const entry_t *metadata, size_t metadata_count);
/* An event that stays here: to the store and to watchers. For what a program of ours printed, which leaves no machine. */
void say_event_here (node_t *self, event_type_t type, const char *error, const entry_t *metadata,
                     size_t metadata_count);
void say_persist (node_t *self, record_table_t table, const digest_t *key, const record_t *record,
                  const void *row);
void say_reply (node_t *self, uint64_t operation, bool failed, const char *text, const char *value);
/* Starts an operation: `operation` in `fields` must be its first member, and is filled in. 0 if the table is full. */
uint64_t operate (node_t *self, effect_kind_t kind, void *fields, owner_t owner, size_t index);
/* Ends an operation and tells whose it was; false if there is none of that id and kind. */
bool operated (node_t *self, uint64_t id, effect_kind_t kind, owner_t *owner, size_t *index);
void operate_cancel (node_t *self, uint64_t id);
/* Gives up whatever an owner still awaits: its place may go to another. */
void operate_drop (node_t *self, owner_t owner, size_t index);
void operate_again (node_t *self); /* after a restart: every effect that is still awaited */

/* --- node_improve.c --- */
size_t improve_new (node_t *self, origin_t origin, const digest_t *parent, bytes_t tree,
                    improvement_type_t type, text_t description);
/* Takes an edge of the table (asserted to exist), emits its event, writes the row, checks the invariants. */
void improve_move (node_t *self, size_t index, improvement_move_t move);
/* The same, with that in the event's metadata too. */
void improve_move_saying (node_t *self, size_t index, improvement_move_t move, const entry_t *more,
                          size_t more_count);
void improve_reject (node_t *self, size_t index, reason_code_t reason, const char *detail);
void improve_persist (node_t *self, size_t index);
/* Frees a final improvement's place, after its parcel was told. */
void improve_finish (node_t *self, size_t index);
/* Frees what it holds, and its place. */
void improve_clear (improvement_t *improvement);
size_t improve_find (const node_t *self, const digest_t *id);
size_t improve_deltas (const node_t *self, const trial_result_t *result, delta_t deltas[LIMIT_OBJECTIVES]);
void improve_fault (node_t *self, bool apply);
/* `token`: the breaker_trial of the improvement that it is said of. */
void improve_healthy (node_t *self, uint64_t token, bool apply);
/* Looks at everything that waits and moves on what can. Called at the end of each step. */
void improve_advance (node_t *self);
/* Until when it may stay in the state it is in; UINT64_MAX: as long as it takes. */
uint64_t improve_due_ms (const improvement_t *improvement);
uint64_t improve_deadline_ms (const node_t *self); /* the first of those, and the breaker's */

/* --- node_propose.c --- */
void propose_settle (node_t *self, const started_t *event); /* takes the proposers of a STARTED */
size_t proposals_here (const node_t *self);                 /* under way, that take a slot each */
void propose_schedule (node_t *self);
uint64_t propose_deadline_ms (const node_t *self);
void on_proposed (node_t *self, const proposed_t *event);
/* A new improvement goes to its test, unless it changes what it may not, or is nothing new. Returns its index or NONE. */
size_t propose_enter (node_t *self, size_t improvement, bytes_t tree);
/* A candidate enters: duplicates are rejected, others go to their test. Returns the improvement's index or
 * NONE. */
size_t propose_candidate (node_t *self, origin_t origin, const digest_t *parent, bytes_t tree,
                          improvement_type_t type, text_t description, const pubkey_t *author, size_t parcel,
                          bool certified);

/* --- node_trial.c --- */
/* Returns NONE if the table is full; its last place is kept for RANK_LIVE. */
size_t trial_open (node_t *self, owner_t owner, size_t index, const digest_t *candidate, const digest_t *base,
                   unsigned rank);
void trial_close (node_t *self, size_t index);
void trial_schedule (node_t *self); /* gives free slots to those that wait */
void on_evaluated (node_t *self, const evaluated_t *event);
size_t slots_busy (const node_t *self);
reason_code_t reason_of_verdict (verdict_t verdict);
void measurement_keep (node_t *self, const digest_t *candidate, const digest_t *base, reason_code_t reason,
                       const trial_result_t *result);
const measurement_t *measurement_find (const node_t *self, const digest_t *candidate, const digest_t *base);
/* An improvement's comparison ended: decide. */
void test_start (node_t *self, size_t improvement);
void test_done (node_t *self, size_t improvement, reason_code_t reason, const char *detail,
                const trial_result_t *result);

/* --- node_review.c --- */
/* Are enough members here to measure a change again? While some are away who may be fit, it is better not asked for: it would be
 * refused for want of results, however good it is. */
bool review_may_be_confirmed (const node_t *self);
void review_start (node_t *self, size_t improvement);
void review_resend (node_t *self, size_t improvement, const pubkey_t *peer);
/* A new roster is in force: asks again whoever has not answered in a way that counts. */
void review_ask_again (node_t *self);
void review_check (node_t *self, size_t improvement, bool final);
void on_feedback_request (node_t *self, const message_t *message, const pubkey_t *author, const digest_t *id);
void on_feedback (node_t *self, const message_t *message, const pubkey_t *author, bytes_t packed);

/* --- node_validate.c --- */
void validate_start (node_t *self, size_t improvement);
void validate_resend (node_t *self, size_t improvement, const pubkey_t *peer);
void validate_check (node_t *self, size_t improvement, bool final);
/* A member is lost: those who wait only for lost ones don't wait long. */
void validate_peer_lost (node_t *self);
void on_validation_reply (node_t *self, const message_t *message, const pubkey_t *author, bytes_t packed);

/* --- node_serve.c --- */
void on_validation_request (node_t *self, const message_t *message, const pubkey_t *author,
                            const digest_t *id);
void serve_fetched (node_t *self, size_t job, const fetched_t *event);
void serve_measured (node_t *self, size_t job, reason_code_t reason, const trial_result_t *result,
                     uint64_t duration_ms);
void serve_tick (node_t *self);
uint64_t serve_deadline_ms (const node_t *self);

/* --- node_apply.c --- */
void apply_start (node_t *self, size_t improvement);
/* If the live release is no longer what the improvement was compared with: merges it (or sends its parcel back) and is true. */
bool apply_rebase (node_t *self, size_t improvement);
void on_merged (node_t *self, const merged_t *event);
void on_snapshot_taken (node_t *self, const snapshot_taken_t *event);
void on_applied (node_t *self, const applied_event_t *event);
/* The node's own picture of what is live. */
void apply_set_live (node_t *self, const digest_t *release, const buffer_t *tree, const metrics_t *metrics);
/* Measures the live copy, which must be as good as `baseline`; apply_verified is told. */
void apply_verify (node_t *self, size_t improvement, const digest_t *candidate, const digest_t *base,
                   const metrics_t *baseline);
void apply_verified (node_t *self, size_t improvement, reason_code_t reason, const trial_result_t *result);
/* Applied and verified, and not to be shared: the end of its way. */
void apply_keep (node_t *self, size_t improvement);
bool apply_busy (const node_t *self);

/* --- node_rollback.c --- */
void rollback_start (node_t *self, size_t improvement, reason_code_t reason);
/* Rolls back to before the applied improvement at `index` of the applied list; what stands on it goes too. */
int rollback_to (node_t *self, size_t index, reason_code_t reason);
void rollback_loaded (node_t *self, size_t improvement, const loaded_t *event);
void on_restored (node_t *self, const restored_t *event);
void rollback_verified (node_t *self, size_t improvement, reason_code_t reason);

/* --- node_share.c --- */
void share_start (node_t *self, size_t improvement);
void on_transfer_result (node_t *self, const message_t *message, const pubkey_t *author);

/* --- node_knowledge.c --- */
void on_knowledge (node_t *self, const pubkey_t *author, const digest_t *package, const digest_t *transfer);
/* The same for a package whose contents are in the store already. */
void knowledge_import (node_t *self, const pubkey_t *author, const digest_t *package);
void knowledge_advance (node_t *self);
uint64_t knowledge_deadline_ms (const node_t *self);

/* --- node_knowledge_fetch.c --- */
void knowledge_fetch (node_t *self, size_t parcel);
void knowledge_fetched (node_t *self, size_t parcel, const fetched_t *event);

/* --- node_knowledge_try.c --- */
void knowledge_try (node_t *self, size_t parcel);
void knowledge_merged (node_t *self, size_t parcel, const merged_t *event);

/* --- node_knowledge_end.c --- */
void knowledge_decided (node_t *self, size_t parcel, bool adopted, reason_code_t reason,
                        const trial_result_t *result);
void knowledge_turn_away (node_t *self, size_t parcel);
void knowledge_retry (node_t *self, size_t parcel);
void knowledge_row (node_t *self, size_t parcel, package_status_t status, reason_code_t reason);
void knowledge_answer (node_t *self, const pubkey_t *author, const digest_t *transfer, const tried_t *tried,
                       const trial_result_t *result);
const tried_t *knowledge_tried (const node_t *self, const digest_t *package);

/* --- node_proof.c --- */
void on_equivocated (node_t *self, const equivocated_t *event);
/* Does its word on an improvement count? That of a member does, unless it was proved to equivocate since it was admitted. */
bool peer_has_vote (const node_t *self, const pubkey_t *id);
bool peer_can_vote (const node_t *self, const pubkey_t *id); /* and is up */
size_t voters_up (const node_t *self);

/* --- node_group.c --- */
void on_roster (node_t *self, bytes_t packed);
void on_join_request (node_t *self, const message_t *message, const pubkey_t *author, const pubkey_t *curve,
                      const digest_t *id);
void on_leave (node_t *self, const pubkey_t *author);
void group_tick (node_t *self);
uint64_t group_deadline_ms (const node_t *self);
int group_invite (node_t *self, const digest_t *entropy, uint64_t uses, uint64_t lifetime_ms,
                  const pubkey_t *bound_to, char *token, size_t token_size);
int group_revoke (node_t *self, const pubkey_t *id);
void group_say_members (node_t *self);
known_peer_t *peer_of (node_t *self,
                       const pubkey_t *id); /* made if it isn't there; NULL when out of memory */
bool peer_is_up (const node_t *self, const pubkey_t *id);
size_t peers_up (const node_t *self);
size_t validators_here (const node_t *self); /* peers that are up, have a vote, and measure performance */
uint64_t members_now (const node_t *self);

/* --- node_start.c, node_command.c, node.c --- */
int on_started (node_t *self, const started_t *event);
void on_peer_up (node_t *self, const peer_up_t *event);
void on_command (node_t *self, const command_t *event);

#endif
