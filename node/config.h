/* SPDX-License-Identifier: MPL-2.0 */
/* node.yaml: what is local to a node and never comes from a peer. */
#ifndef EVOMESH_NODE_CONFIG_H
#define EVOMESH_NODE_CONFIG_H

#include "node/agent.h"
#include "node/config_llm.h"

#define CONFIG_FILE "node.yaml"

typedef enum { SANDBOX_MODE_BUBBLEWRAP, SANDBOX_MODE_NONE } sandbox_mode_t;

/* Defaults in parentheses; the keys of seed.md keep their names and sit in the same groups. */
typedef struct {
    char name[LIMIT_NAME + 1];
    char agent[LIMIT_LONG_TEXT + 1];        /* the user's own agent directory; only read */
    char private_data[LIMIT_LONG_TEXT + 1]; /* directory mounted at /private for the evaluator; "" for none */
    char listen[LIMIT_ENDPOINTS]
               [LIMIT_ENDPOINT + 1]; /* rpc sockets ("tcp://127.0.0.1:*"); pub is bound beside */
    size_t listen_count;
    char advertise[LIMIT_ENDPOINTS][LIMIT_ENDPOINT + 1]; /* what peers are told; "" the bound ones */
    size_t advertise_count;
    uint64_t slots; /* evaluations side by side (cores − 1, at least 1) */
    uint64_t seed;  /* of the node's random stream; 0: drawn at init */
    bool seed_given;
    int sandbox;                                     /* sandbox_mode_t */
    agent_proposer_t proposers[AGENT_PROPOSERS_MAX]; /* (tune, share 1) */
    size_t proposer_count;
    bool proposer_network; /* (false) */
    bool share_artifacts;  /* (false) proposers that reach the network see what evaluations printed */
    llm_config_t llm;
    char service_restart[LIMIT_LONG_TEXT + 1]; /* shell command run after a switch of release; "" for none */
    uint64_t service_timeout_ms;
    uint64_t proposals_max; /* proposals after which the node proposes no more; 0: no end */
    int selection;          /* selection_t (dgm) */
    double learning_rate;   /* (0.1) */
    struct {
        uint64_t count;              /* (1) of islands in the archive */
        uint64_t migration_interval; /* (50) candidates between two migrations */
        double migration_fraction;   /* (0.1) of an island's 64 best that go on to the next */
    } islands;
    struct {
        uint64_t candidates; /* (10000) whose files are kept; 0: all */
        uint64_t journal;    /* (100000) entries; 0: all */
        uint64_t events;     /* (100000) for people, and as many own ones for peers; 0: all */
        uint64_t releases;   /* (16) laid out, beside the live one; 0: all */
    } retention;
    struct {
        uint64_t metrics_interval_seconds; /* (1) */
    } real_time_monitoring;
    struct {
        bool circuit_breaker_enabled;      /* (true) */
        uint64_t failure_threshold;        /* (5) */
        uint64_t recovery_timeout_seconds; /* (300) */
        bool automatic_rollback;           /* (true) */
    } safety_systems;
    struct {
        bool auto_share_successful;     /* (true) */
        double compatibility_threshold; /* (0.7) */
        uint64_t max_transfer_attempts; /* (3) */
    } knowledge_transfer;
    struct {
        bool network_enabled; /* (true) validate for peers and ask them */
    } collaborative_validation;
} config_t;

/* The values in force when node.yaml says nothing. `cores` of the machine sets the slots. */
void config_defaults (config_t *config, unsigned cores);

/* True for tcp://HOST:PORT; a PORT of * where `wildcard` says so, and then a HOST of * too. What was expected instead follows. */
bool config_endpoint_valid (const char *text, bool wildcard);
#define CONFIG_LISTEN_EXPECTED \
    "an address such as tcp://127.0.0.1:7401, or tcp://127.0.0.1:* for any free port"
#define CONFIG_ADVERTISE_EXPECTED "an address that peers can reach, such as tcp://10.0.0.5:7401"

/* Reads node.yaml's text over what is in `config` (the defaults); a list that is given replaces the default
 * one. Returns 0, or -1 with the problem and `config` as it was. */
int config_parse (const char *file, const char *text, size_t size, config_t *config, problem_t *problem);

/* The text of a node.yaml with these values and a comment on each key; malloc'ed, NULL only when out of
 * memory. config_parse reads it back. */
char *config_write (const config_t *config);

/* Quantities as the files take them, in the largest unit that is exact: "90s", "2m", "500ms"; "512MiB". */
#define CONFIG_QUANTITY_BYTES 32
void config_duration_text (uint64_t ms, char text[CONFIG_QUANTITY_BYTES]);
void config_bytes_text (uint64_t bytes, char text[CONFIG_QUANTITY_BYTES]);

#endif
