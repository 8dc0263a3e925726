/* SPDX-License-Identifier: MPL-2.0 */
/* The whole node as one pure state machine: events in, effects out. The same code runs in production, in replay and, many
 * at once in virtual time, in the simulator. */
#ifndef EVOMESH_NODE_NODE_H
#define EVOMESH_NODE_NODE_H

#include "evolution/breaker.h"
#include "evolution/improvement.h"
#include "evolution/objective.h"
#include "node/effect.h"
#include "node/event.h"
#include "protocol/group.h"

typedef struct node node_t;

/* A node that knows only who it is; `identity` is copied. The first event must be STARTED. */
node_t *node_new (const identity_t *identity);
void node_destroy (node_t **self_p);

/* Takes one event, appends what is to be done (`effects` NULL: it is thrown away). Time never runs backwards (asserted
 * on now_ms within one run). Returns 0, or ERROR_INPUT if the event makes no sense (a STARTED whose charter doesn't open;
 * nothing is changed).
 *
 * Recovery: load the newest checkpoint, step every event of the journal behind it without effects, then a fresh STARTED: the node
 * asks again for everything that was under way. */
int node_step (node_t *self, const event_t *event, effects_t *effects);

/* Appends the whole state of a node that has been started, but for its keys and the clocks of its last event. Equal states give equal
 * bytes, whatever way led to them. */
void node_save (const node_t *self, buffer_t *out);
/* Makes a node of saved bytes, which may be damaged; from there on it steps as the one that was saved. 0, ERROR_MALFORMED,
 * ERROR_BOUND, ERROR_VERSION (saved by another version of evomesh) or ERROR_MEMORY, and then there is none. */
int node_load (const identity_t *identity, const uint8_t *data, size_t size, node_t **self_p);

/* When it wants the next TICK, on the clock of now_ms; UINT64_MAX: never. */
uint64_t node_deadline_ms (const node_t *self);

/* Numbers at a glance, for `status`, METRICS and the quickstart's table. */
typedef struct {
    pubkey_t id;
    char name[LIMIT_NAME + 1];
    digest_t group;
    char group_name[LIMIT_NAME + 1];
    char agent[LIMIT_NAME + 1];
    uint64_t epoch;
    size_t members;
    size_t peers_up;
    bool paused;              /* by the operator */
    bool stopped;             /* by a failed rollback: needs `resume` */
    bool finished;            /* proposals_max reached */
    char out[LIMIT_TEXT + 1]; /* that it left the group or was revoked, for people; empty: it is a member */
    digest_t release;         /* live */
    objectives_t objectives;
    metrics_t start_metrics; /* of the group's start, here; count 0 until measured */
    metrics_t live_metrics;
    reason_code_t baseline_reason; /* why the live release can't be measured; REASON_NONE: it can */
    char baseline_detail[LIMIT_TEXT + 1];
    double learning_rate;
    double success_rate;
    breaker_state_t breaker;
    uint64_t slots;
    uint64_t slots_busy;
    uint64_t proposed; /* improvements of our own */
    uint64_t applied;  /* of our own, applied and verified */
    uint64_t rolled_back;
    uint64_t packages_sent; /* transfers to peers */
    uint64_t packages_received;
    uint64_t packages_adopted;
    uint64_t validations_done; /* for peers */
    uint64_t evaluations;
    uint64_t duplicates;
    uint64_t equivocations; /* members that were proved to have said two things under one number */
    uint64_t candidates;    /* in the archive */
    uint64_t front;
    digest_t archive_digest; /* over the candidates in order, with lineage, exact figures and verdict */
    uint64_t held;
    uint64_t awaiting_members; /* passed their test; too few members are here to measure them again */
    bool waits_for_members;    /* so many of our own did that nothing new is proposed until more are here */
    uint64_t in_state[16];     /* improvements under way by improvement_state_t */
    uint64_t rejected[REASON_LIMIT + 1]; /* by reason_code_t: own and peers' */
    uint64_t outbox;
    char fault[LIMIT_TEXT + 1]; /* the last one; empty: there was none, or something worked since */
    uint64_t fault_wall_ms;
    struct {
        char name[LIMIT_NAME + 1];
        unsigned running;   /* its proposals under way */
        unsigned fruitless; /* its proposals in a row that gave nothing new */
        char fruitless_why[LIMIT_TEXT + 1];
        bool exhausted;                /* its budget is spent */
        char idle_why[LIMIT_TEXT + 1]; /* why it had nothing more to propose when asked last; empty: it had */
    } proposers[LIMIT_CAPABILITIES];
    size_t proposer_count;
} node_status_t;
void node_status (const node_t *self, node_status_t *status);

/* What an improvement that is under way waits for: WAIT (NAME, "name") */
#define PROGRESS_WAITS(WAIT)                                                     \
    WAIT (NOTHING, "nothing")       /* it goes on by itself */                   \
    WAIT (SLOT, "slot")             /* a free one, for its next run */           \
    WAIT (RUN, "run")               /* that is under way */                      \
    WAIT (MEMBERS, "members")       /* more of them, who may measure it again */ \
    WAIT (TURN, "turn")             /* until the one before it is through */     \
    WAIT (VOTES, "votes")           /* the group's feedback */                   \
    WAIT (OPERATOR, "operator")     /* approval */                               \
    WAIT (MERGE, "merge")           /* approved, onto what went live since */    \
    WAIT (VALIDATORS, "validators") /* who measure it again */                   \
    WAIT (RESUME, "resume")         /* evolution rests */                        \
    WAIT (BREAKER, "breaker")       /* it is open */
typedef enum {
#define WAIT_ENUM(NAME, name) WAITS_FOR_##NAME,
    PROGRESS_WAITS (WAIT_ENUM)
#undef WAIT_ENUM
} progress_wait_t;
const char *progress_wait_name (progress_wait_t wait);

/* How far an improvement is, for `show`. */
typedef struct {
    improvement_state_t state;
    progress_wait_t waits_for;
    size_t pairs; /* of candidate and base that are measured */
    size_t pairs_most;
    bool second;    /* trial: it was better in a first, and has to be once more */
    bool running;   /* a run of it is under way */
    unsigned asked; /* for feedback; 0: not yet */
    unsigned approvals;
    unsigned reviews;
    unsigned rejections;
    unsigned validators; /* asked to measure it again; 0: not yet */
    unsigned confirmed;
    unsigned refuted;
    unsigned declined;
    unsigned needed; /* confirmations, by the policy */
    uint64_t
        due_ms; /* until when it may stay in its state, on the clock of now_ms; UINT64_MAX: as long as it takes */
} node_progress_t;
/* False if no improvement of that id is under way. */
bool node_progress (const node_t *self, const digest_t *id, node_progress_t *progress);

/* Hypervolume of the front (pareto_hypervolume) with respect to `reference`, which it fills in: for each objective the worse of what
 * the start measured and of its limit. So what is worse than the start somewhere, where no limit allows it, adds nothing. `points`:
 * of the front, so many were taken (archive_hypervolume). NaN until the start is measured. For `status`: it takes its time. */
double node_hypervolume (const node_t *self, metrics_t *reference, size_t *points);

/* The roster in force (borrowed until the next step). */
const members_t *node_members (const node_t *self);

/* Highest publication of `author` that the node has taken in, and its own: for the mesh after a restart. */
uint64_t node_publication (const node_t *self, const pubkey_t *author);

/* A digest of what a TICK can move: numbers, states, deadlines and tables in short. Equal before and after a step: the step changed
 * nothing that matters; equal after a replay: it led to the same place. */
digest_t node_digest (const node_t *self);

#endif
