/* SPDX-License-Identifier: MPL-2.0 */
/* The simulator: whole nodes, the very turns of production, many at once in virtual time over a network that loses, delays,
 * reorders and partitions, on disks that fail, with crashes and restarts from what was committed. One seed decides
 * everything; a seed that fails, fails again.
 *
 * Rates of faults, stated once: SIM_LOSS of all frames; delays of SIM_DELAY_MS, each frame its own, so that they overtake each
 * other; each node crashes about every SIM_CRASH_MS; a cut between two halves about every SIM_CUT_MS, SIM_CUT_LENGTH_MS
 * long; SIM_COMMIT_FAILS of commits; SIM_FAULTS of jobs. All until SIM_CALM_MS; then the world is calm, and must settle.
 *
 * Each world has its own number of journal entries between two checkpoints, SIM_CHECKPOINT_MAX at most. Each restart goes by the newest
 * checkpoint, now and then by an older one as that can't be read, and must come to the very state that the whole journal leads to.
 *
 * People and liars: about every SIM_OPERATOR_MS the operator of some node looks at it, decides what is held, pauses, resumes or
 * rolls back. In one world of SIM_LIAR_WORLDS one member lies: what it says of others' changes is the opposite of what its
 * own core found, each time or half of the times. */
#ifndef EVOMESH_TESTS_SIM_SIM_H
#define EVOMESH_TESTS_SIM_SIM_H

#include "crypto/random.h"
#include "node/turn.h"

#define SIM_NODES_MAX      50
#define SIM_LOSS           0.02
#define SIM_DELAY_MS       40
#define SIM_CRASH_MS       60000
#define SIM_DOWN_MS        8000
#define SIM_CUT_MS         45000
#define SIM_CUT_LENGTH_MS  20000
#define SIM_CHECKPOINT_MAX 64
#define SIM_COMMIT_FAILS   0.001
#define SIM_FAULTS         0.03
#define SIM_OPERATOR_MS    8000
#define SIM_LIAR_WORLDS    4
#define SIM_APPROVED_MAX   64
#define SIM_CALM_MS        150000
#define SIM_END_MS         900000 /* by then it must have settled */
#define SIM_PROPOSALS      5      /* of each node; 1 in a crowd */
#define SIM_CROWD          12     /* with more nodes a proposal costs much, as all look at each */
#define SIM_LINES          6      /* parameters of the simulated program, a line each */
#define SIM_START_MS       1000000

typedef struct sim sim_t;
typedef struct sim_node sim_node_t;

/* --- what a node has on its disk: survives crashes --- */
typedef struct sim_store sim_store_t;
sim_store_t *sim_store_new (void);
void sim_store_destroy (sim_store_t **self_p);
int sim_store_begin (sim_store_t *self);
int sim_store_commit (sim_store_t *self);
void sim_store_rollback (sim_store_t *self);
void sim_store_append (sim_store_t *self, const uint8_t *event, size_t size, const digest_t *effects);
int sim_store_walk (sim_store_t *self, uint64_t from, journal_entry_fn *visit, void *visitor);
void sim_store_put_checkpoint (sim_store_t *self, uint64_t number, const uint8_t *bytes, size_t size);
const buffer_t *sim_store_checkpoint (const sim_store_t *self, uint64_t number);
uint64_t sim_store_checkpoint_before (const sim_store_t *self, uint64_t number);
void sim_store_put_content (sim_store_t *self, const uint8_t *bytes, size_t size);
const buffer_t *sim_store_content (const sim_store_t *self, const digest_t *id);
void sim_store_put_statement (sim_store_t *self, const uint8_t *body, size_t size,
                              const uint8_t seal[SEAL_BYTES], uint64_t publication);
bool sim_store_has_statement (const sim_store_t *self, const digest_t *id); /* in the journal too */
int sim_store_publications (sim_store_t *self, const pubkey_t *author, uint64_t from, size_t limit,
                            publication_fn *visit, void *visitor);
uint64_t sim_store_last_publication (const sim_store_t *self, const pubkey_t *author);
void sim_store_put_record (sim_store_t *self, record_table_t table, const digest_t *key, const uint8_t *bytes,
                           size_t size);
const buffer_t *sim_store_record (const sim_store_t *self, record_table_t table, const digest_t *key);
/* Calls `visit` for each record of a table. */
typedef void (sim_record_fn) (void *context, const digest_t *key, const buffer_t *bytes);
void sim_store_records (const sim_store_t *self, record_table_t table, sim_record_fn *visit, void *context);

struct sim_node {
    sim_t *sim;
    size_t number;
    char name[LIMIT_NAME + 1];
    char endpoint[LIMIT_ENDPOINT + 1];
    identity_t identity;
    curve_t curve;
    sim_store_t *store;
    uint64_t live_seq;         /* reserved, on disk */
    digest_t current;          /* the release that `current` points at: on disk */
    bool releases_differ;      /* the service's own copy is worse than measured (a regression) */
    turn_t *turn;              /* NULL: down */
    bool recovering;           /* its core is being rebuilt */
    uint64_t checkpoints_gone; /* dropped up to that one */
    uint64_t life;             /* counts starts: what was sent to or done for an earlier life is lost */
    uint64_t wake_ms;          /* a turn is scheduled for then; UINT64_MAX: none */
    uint64_t clock_skew_ms;    /* of its wall clock */
    unsigned lies;             /* of 2 statements on others' changes, so many are lies */
    digest_t approved[SIM_APPROVED_MAX]; /* improvements and packages that its operator approved */
    size_t approved_count;
    bool linked[SIM_NODES_MAX];              /* our DEALER and SUB to that node */
    link_standing_t standing[SIM_NODES_MAX]; /* who that node's key is to us */
};

/* What happened in a run: the test fails if a kind of fault never did. */
typedef struct {
    unsigned crashes;
    unsigned cuts;
    unsigned failed_commits;
    unsigned applied;
    unsigned rolled_back;
    unsigned shared;
    unsigned adopted;
    unsigned held;
    unsigned checkpoints; /* that a restart began with */
    unsigned unreadable;  /* checkpoints that a restart found damaged */
    unsigned dropped;     /* candidates whose files were not to be kept */
    unsigned lost_frames;
    unsigned faults; /* of jobs */
    unsigned lies;
    unsigned approvals; /* by operators */
    unsigned rejections;
    unsigned pauses;
    unsigned resumes;
    unsigned rollbacks; /* that operators wanted */
} sim_counts_t;

struct sim {
    uint64_t seed;
    random_t random;
    uint64_t now_ms;
    size_t node_count;
    sim_node_t nodes[SIM_NODES_MAX];
    bool side[SIM_NODES_MAX]; /* of the cut */
    bool cut;
    group_t group;
    members_t *members;
    buffer_t start_tree;
    digest_t start;
    struct sim_entry *queue; /* a heap by time, then by order */
    size_t queue_count;
    size_t queue_capacity;
    uint64_t order;
    sim_counts_t counts;
    uint64_t checkpoint_interval_entries; /* entries of the journal: few, so that they fall everywhere */
    char failure[1024];                   /* the first invariant that did not hold; "" while all do */
};

/* --- world: time and network --- */
typedef enum {
    SIM_FRAME,
    SIM_WAKE,
    SIM_RESULT,
    SIM_CRASH,
    SIM_RESTART,
    SIM_CUT,
    SIM_HEAL,
    SIM_OPERATOR
} sim_kind_t;
typedef struct sim_entry {
    uint64_t at_ms;
    uint64_t order;
    sim_kind_t kind;
    size_t node;
    uint64_t life;
    bool published;
    pubkey_t curve; /* of the sender */
    buffer_t bytes; /* packed statement, or an encoded event */
} sim_entry_t;
void sim_schedule (sim_t *self, sim_entry_t entry);
bool sim_chance (sim_t *self, double probability); /* never once the world is calm */
void sim_fail (sim_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
uint64_t sim_wall_ms (const sim_node_t *node);
void sim_send (sim_node_t *from, size_t to, bool published, const uint8_t *body, size_t size,
               const uint8_t seal[SEAL_BYTES]);
void sim_wake (sim_node_t *node);

/* --- nodes --- */
void sim_node_start (sim_node_t *node);
void sim_node_crash (sim_node_t *node);
ports_t sim_ports (sim_node_t *node);
void sim_job (sim_node_t *node, const effect_t *effect);

/* --- people and liars --- */
/* The operator of some node looks at it, and again later. */
void sim_operate (sim_t *self);
/* A reply to what an operator wanted. */
void sim_operated (sim_node_t *node, const reply_t *reply);
/* Did its operator approve that improvement, or one of that package? */
bool sim_approved (const sim_node_t *node, const digest_t *id);
/* If this is a statement on another's change, and the node lies about it: writes the lie, sealed, and is true. */
bool sim_lie (sim_node_t *node, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES],
              buffer_t *lie, uint8_t lie_seal[SEAL_BYTES]);

/* Builds a world of `nodes` nodes from a seed, and runs it to its end. True if every invariant held; else `failure` says which did
 * not. */
bool sim_run (uint64_t seed, size_t nodes, sim_counts_t *counts, char failure[1024]);

/* --- invariants --- */
void sim_check_acknowledged (sim_node_t *node, const uint8_t *body, size_t size);
/* A core that was rebuilt of a checkpoint is the one that the whole journal leads to, with each recorded effect on the way. */
void sim_check_recovered (sim_node_t *node);
void sim_check_apply (sim_node_t *node, const apply_t *apply);
/* Nothing is dropped that is live, or can be gone back to. */
void sim_check_dropped (sim_node_t *node, const digest_t *candidate);
/* True if all members know the same packages; else the first difference is the failure, if `complain`. */
bool sim_check_knowledge (sim_t *self, bool complain);
void sim_check_end (sim_t *self);

#endif
