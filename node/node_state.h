/* SPDX-License-Identifier: MPL-2.0 */
/* The node's state, for node/node*.c only. What its parts do for each other is declared in three headers: node_say.h (what leaves),
 * node_life.h (an improvement's way) and node_peers.h (what comes from the others). One source for each stretch:
 *
 *   node.c            step, dispatch, deadline              node_share.c            make and send packages
 *   node_start.c      STARTED: config, what was under way   node_knowledge.c        peers' packages: places and turns
 *   node_say.c        statements, events, replies           node_knowledge_fetch.c  …fetched and verified
 *   node_outbox.c     …kept until they are acknowledged     node_knowledge_try.c    …merged and tried
 *   node_operate.c    effects whose result is awaited       node_knowledge_end.c    …what became of them
 *   node_improve.c    places, lifecycle moves, faults       node_knowledge_again.c  …tried again on another base
 *   node_row.c        …their rows in the store              node_serve.c            validation, the measuring side
 *   node_propose.c    proposals
 *   node_parent.c     …and what they start from
 *   node_trial.c      measured comparisons, slots
 *   node_test.c       …an improvement's
 *   node_enter.c      candidates that enter
 *   node_candidate.c  the archive, and the digest of it     node_peer.c             who is here, who may vote
 *   node_review.c     feedback, both sides                  node_group.c            roster, invites, joins
 *   node_held.c       …and the operator's yes
 *   node_validate.c   validation, the asking side           node_proof.c            members that equivocate
 *   node_apply.c      snapshot, apply, verify               node_command.c          what the operator wants
 *   node_rollback.c   go back                               node_status.c           looking at it
 *   node_retain.c     files that are dropped                node_progress.c         …and at one improvement
 *   node_image.c      what a checkpoint holds               node_image_life.c       …of what is under way */
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
    digest_t second_parent; /* that its proposer crossed the parent with; zero: none */
    digest_t merged_from;   /* what it was before it was merged onto the live release; zero: it was not */
    unsigned retests;       /* of it against what went live meanwhile */
    size_t island;          /* it was bred on; ARCHIVE_EVERYWHERE */
    digest_t tokens;        /* of its files but for comments and spaces; zero: not known */
    digest_t base;          /* the live release that it was compared with */
    buffer_t tree;          /* the candidate's encoded list of files */
    buffer_t base_tree;
    improvement_type_t type;
    char description[LIMIT_TEXT + 1];
    char model[LIMIT_TEXT + 1]; /* that proposed it; empty: none did */
    spending_t spent;           /* on it, by that */
    reason_code_t reason;
    char detail[LIMIT_TEXT + 1];
    bool measured;
    trial_result_t result;
    bool twice;   /* what was measured is a second trial's result, as who is alone makes it */
    size_t trial; /* index of its running trial; NONE */
    bool waits;   /* passed its test, waits for its turn (review gate, peers, live release) */
    request_t feedback;
    consensus_t consensus;
    bool reviewed;
    request_t validation;
    uint64_t held_until_ms;
    bool
        approved; /* by the operator: where the group is not sure again, of what it was merged to, it isn't held again */
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
    bool live; /* runs of the candidate are runs of the live copy */
    bool
        again; /* it was better in noisy objectives, nobody else measures it, and so it has to be once more */
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

/* Candidates that were good and found nobody to confirm them: so that they may be proposed again. */
#define UNCONFIRMED 64 /* the oldest is forgotten */

/* Trees of peers' candidates that were measured for them, and of twins: beyond, the newest are kept for good. */
#define LITTER_MAX 256

/* What became of a package: so that it is not tried again, unless the live release has changed since (node_knowledge_again.c). */
typedef struct {
    digest_t package;
    pubkey_t author;
    bool adopted;
    reason_code_t reason;
    digest_t base;  /* the live release then */
    unsigned tries; /* outcomes that it had here, this one among them, but those of not being had */
    double gain;    /* weighted, as measured then; 0: it was not measured */
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
    bool proved; /* to have said two things under one number */
    validator_t record;
    unsigned adopted; /* packages of it that we adopted, and that failed here */
    unsigned failed;
    uint64_t publication; /* the newest of its publications that was taken in */
    uint64_t served;      /* rank of its parcel that was taken up last */
} known_peer_t;

/* A proposer, and how it does. */
typedef struct {
    char name[LIMIT_NAME + 1];
    double share;
    unsigned parallel;                  /* as in proposer_row_t */
    unsigned running;                   /* its proposals under way */
    unsigned fruitless;                 /* its proposals in a row that gave nothing new */
    char fruitless_why[LIMIT_TEXT + 1]; /* of the last of them; empty: there was none */
    uint64_t after_ms;   /* it isn't asked before; UINT64_MAX: not before one of its proposals ends */
    bool exhausted;      /* its budget is spent: it isn't asked again before the next STARTED */
    bool idle;           /* it had nothing more to propose when it was asked last */
    unsigned idle_asked; /* how often in a row it had not; there is nothing new to go on from since */
    char idle_why[LIMIT_TEXT + 1];
    /* What there was then; once there is more, it is asked again. */
    digest_t idle_live;
    uint64_t idle_candidates;
    digest_t idle_told; /* the live release with which it was said last that it is idle */
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
    uint64_t candidates_kept; /* 0: all */
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
    bool left; /* the group, by the operator: it takes no part any more, whatever the roster still says */
    /* the live release */
    digest_t live;
    buffer_t live_tree;
    metrics_t live_metrics;
    metrics_t start_metrics;
    bool baseline_known;
    bool baseline_running;
    uint64_t baseline_retry_ms;
    reason_code_t baseline_reason; /* why the last try gave nothing; REASON_NONE: none did that */
    char baseline_detail[LIMIT_TEXT + 1];
    archive_t *archive;
    digest_t litter[LITTER_MAX]; /* trees that need not be kept, beside dropped candidates */
    size_t litter_count;
    size_t retain_at;        /* the number of candidates at which files may be dropped again */
    digest_t archive_digest; /* of all candidates and their verdicts: see node_candidate.c */
    learning_rate_t learning;
    breaker_t breaker;
    bool last_fault_was_apply;
    char last_fault[LIMIT_TEXT + 1]; /* what was done, and how it failed; empty: something worked since */
    uint64_t last_fault_wall_ms;
    operation_t operations[LIMIT_OPERATIONS];
    improvement_t improvements[LIMIT_IMPROVEMENTS];
    comparison_t comparisons[LIMIT_TRIALS];
    job_t jobs[LIMIT_VALIDATIONS];
    measurement_t measurements[MEASUREMENTS];
    size_t measurement_next;
    digest_t unconfirmed[UNCONFIRMED]; /* oldest first */
    size_t unconfirmed_count;
    parcel_t parcels[LIMIT_KNOWLEDGE];
    tried_t *tried;
    size_t tried_count;
    /* Of those tried none may be tried again before the live release moves, another is decided, or the settings change. Not in a
     * checkpoint: it is found again. */
    bool again_none;
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

#endif
