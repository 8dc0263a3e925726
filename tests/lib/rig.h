/* SPDX-License-Identifier: MPL-2.0 */
/* A rig for scenarios of the core: a group of node_t in one process, statements handed over at once, jobs answered by rules that
 * the test sets. No mesh, no turn, no time but the test's own: what is tested is node_step. */
#ifndef EVOMESH_TESTS_LIB_RIG_H
#define EVOMESH_TESTS_LIB_RIG_H

#include "evolution/improvement.h"
#include "evolution/tree.h"
#include "node/node.h"
#include "node/records.h"

#define RIG_NODES_MAX     6
#define RIG_TREES_MAX     256
#define RIG_ROWS_MAX      256
#define RIG_PROPOSALS_MAX 32

typedef struct rig rig_t;

/* The newest row of an improvement, as node `node` wrote it. */
typedef struct {
    size_t node;
    digest_t id;
    digest_t candidate;
    improvement_state_t state;
    reason_code_t reason;
    double gain; /* its performance_improvement */
    size_t intervals;
    double low; /* of the first interval */
    double high;
    size_t metrics;
    uint64_t approvals;
    uint64_t confirmations;
} rig_row_t;

/* What node `node` was told to keep of a measured candidate. */
typedef struct {
    size_t node;
    digest_t id;
    digest_t parents[2]; /* zero: none */
    double cost;         /* its one figure; NAN: none */
} rig_lineage_t;

/* What the next jobs of a node come to. */
typedef struct {
    uint64_t propose_result;  /* 0; 1 none; 2 fault */
    uint64_t evaluate_reason; /* REASON_NONE, or how every evaluation ends */
    uint64_t staged_reason;   /* the same for those with the evaluator's stages before them */
    uint64_t live_reason;     /* the same for evaluations of the live copy */
    double live_worse;        /* added to `cost` of the live copy of anything but the start */
    double start_worse;       /* added to `cost` of the live copy of the start */
    double luck;              /* taken off `cost` of a candidate in its first `lucky_runs` */
    unsigned lucky_runs;
    uint64_t merge_result;
    uint64_t merge_conflicts;
    uint64_t snapshot_result;
    uint64_t apply_result;
    uint64_t restore_result;
    uint64_t load_result;
    digest_t failing; /* evaluations of that candidate end with `failing_reason` */
    uint64_t failing_reason;
    bool hold_evaluations; /* evaluations are not answered until rig_release */
    bool hold_merges;
    bool hold_snapshots;
    bool deaf; /* what is sent to it is lost */
    bool mute; /* what is fetched from it can't be had, which shows only after rig_release of the fetcher */
    uint64_t epochs_ahead; /* how much too high the epoch is that it names when it votes */
} rig_rules_t;

struct rig {
    size_t count;
    uint64_t now_ms;
    size_t events; /* handed to nodes that were started */
    group_t group;
    members_t *members;
    struct {
        identity_t identity;
        curve_t curve;
        node_t *node;
        rig_rules_t rules;
        buffer_t inbox; /* encoded events, each behind its length */
        buffer_t held;
        char reply[LIMIT_LONG_TEXT + 1]; /* the last REPLY */
        char value[LIMIT_LONG_TEXT + 1];
        bool reply_failed;
        unsigned heard[128]; /* statements by kind */
        digest_t current;
        uint64_t proposals[RIG_PROPOSALS_MAX]; /* operations of its PROPOSEs; the test answers them */
        uint64_t
            proposers[RIG_PROPOSALS_MAX];    /* whom each of them asks: 0 who works here, 1 who may be away */
        digest_t parents[RIG_PROPOSALS_MAX]; /* from which */
        size_t proposal_count;
        buffer_t journal;    /* every event, behind its length, with the digest of its effects */
        buffer_t events;     /* all that it emitted: a string each, "type key=value …", for rig_told */
        unsigned statements; /* that it kept */
        unsigned dropped;    /* candidates whose files need not be kept */
        unsigned invites_ended;
        unsigned fetches[2]; /* contents that it asked for: alone, and with the files that they list */
        unsigned evaluations;
        unsigned evaluated[RIG_TREES_MAX]; /* of each of the trees, but of their live copies */
        unsigned staged;                   /* of which with the evaluator's stages */
    } nodes[RIG_NODES_MAX];
    struct {
        digest_t id;
        buffer_t tree;
        char text[64];
        double cost; /* `cost` at node k is cost + k × bias */
        double bias;
    } trees[RIG_TREES_MAX];
    size_t tree_count;
    buffer_t types[RIG_NODES_MAX];        /* names of all events of node k, each behind a space */
    bool taken[STATE_COUNT][STATE_COUNT]; /* by any node, from and to */
    rig_row_t rows[RIG_ROWS_MAX];
    size_t row_count;
    rig_lineage_t lineages[RIG_ROWS_MAX];
    size_t lineage_count;
    policy_t policy;
    /* What a node is started with; changes count from its next rig_restart on. */
    size_t proposers;  /* 0 to 2 */
    bool reversed;     /* they stand the other way round */
    uint64_t parallel; /* of the second one */
    unsigned breaker_threshold;
    bool breaker_is_off;
    uint64_t slots; /* 2 */
    bool noisy;     /* `cost` is measured in pairs; every value of it is exact all the same */
};

/* A group of `count` nodes under `policy` (NULL: the default), all up, nothing proposed by themselves. */
rig_t *rig_new (size_t count, const policy_t *policy);
/* The same in two steps, so that rules can be set before anything happens. */
rig_t *rig_found (size_t count, const policy_t *policy);
void rig_start (rig_t *self);
void rig_destroy (rig_t **self_p);

/* A candidate whose file holds `text`, words joined by '+' (a merge has the words of both sides); the same text is the same
 * candidate. Its cost on node k is cost + k × bias. The start costs 1. */
const digest_t *rig_candidate (rig_t *self, const char *text, double cost, double bias);

/* The operator of node k proposes a candidate. Returns true if the node took it. */
bool rig_propose (rig_t *self, size_t k, const digest_t *candidate);
/* A command with at most one argument; true if it succeeded. */
bool rig_command (rig_t *self, size_t k, const char *name, const char *key, const char *value);
/* Hands one event to node k. */
void rig_event (rig_t *self, size_t k, event_t event);
/* Delivers and answers until nothing is left. */
void rig_settle (rig_t *self);
/* Lets time pass, with TICKs when nodes want them, and settles. */
void rig_pass (rig_t *self, uint64_t ms);
/* Answers what was held back. */
void rig_release (rig_t *self, size_t k);
/* Of three nodes the last finds `mine` while it can't fetch node 0's `theirs`, which is live on the others; these are paused then. After
 * rig_release (2) it fetches that, and merges. */
void rig_find_apart (rig_t *self, const digest_t *theirs, const digest_t *mine);
/* Node k dies and is built anew from its journal. */
void rig_restart (rig_t *self, size_t k);

/* How often node k emitted an event of that type. */
unsigned rig_events (const rig_t *self, size_t k, const char *type);
/* How often node k emitted an event of that type with that in its metadata. */
unsigned rig_told (const rig_t *self, size_t k, const char *type, const char *key, const char *value);
/* The last row that node k recorded of the improvement whose candidate that is; NULL if there is none. */
const rig_row_t *rig_row (const rig_t *self, size_t k, const digest_t *candidate);
/* What node k keeps of a candidate's lineage; NULL: nothing. */
const rig_lineage_t *rig_lineage (const rig_t *self, size_t k, const digest_t *candidate);
/* The last state that node k recorded of the improvement whose candidate that is; STATE_NONE if there is none. */
improvement_state_t rig_state (const rig_t *self, size_t k, const digest_t *candidate, reason_code_t *reason,
                               digest_t *improvement);
/* The same without why and of which. */
improvement_state_t rig_state_now (const rig_t *self, size_t k, const digest_t *candidate);

#endif
