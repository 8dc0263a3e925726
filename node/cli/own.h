/* SPDX-License-Identifier: MPL-2.0 */
/* The data directory taken for a command that writes: no node may run on it meanwhile. */
#ifndef EVOMESH_NODE_CLI_OWN_H
#define EVOMESH_NODE_CLI_OWN_H

#include "node/cli/session.h"
#include "node/io/directory.h"
#include "node/io/keystore.h"

typedef struct {
    directory_t *directory; /* the lock */
    config_t *config;
    keystore_t *keys;
    store_t *store;
} own_t;

/* The option that these commands share. */
#define OWN_PASSPHRASE_OPTION                                                                     \
    {                                                                                             \
        "passphrase-file", "FILE", "whose first line unlocks the keys ($EVOMESH_PASSPHRASE_FILE)" \
    }

/* Takes the directory, reads node.yaml and keys, opens the store. CLI_DONE, or CLI_FAILED (told) with nothing open. */
int own_open (const cli_t *cli, own_t *self);
void own_close (own_t *self);

/* CLI_FAILED (told) if the node is in a group already. */
int own_check_free (own_t *self);

#endif
