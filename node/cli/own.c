/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/own.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int own_open (const cli_t *cli, own_t *self)
{
    assert (cli != NULL && self != NULL);
    problem_t problem;
    memset (self, 0, sizeof *self);
    self->config = session_config (cli);
    if (self->config == NULL)
        return CLI_FAILED;
    self->directory = directory_open (cli->directory, false, &problem);
    if (self->directory != NULL)
        self->keys = keystore_load (cli->directory, cli_value (cli, "passphrase-file", NULL), &problem);
    if (self->keys != NULL)
        self->store = store_open (cli->directory, false, false, &problem);
    assert (self->store == NULL || (self->keys != NULL && self->directory != NULL));
    if (self->store != NULL)
        return CLI_DONE;
    own_close (self);
    return cli_fail_problem (&problem);
}

void own_close (own_t *self)
{
    assert (self != NULL);
    store_close (&self->store);
    keystore_destroy (&self->keys);
    directory_close (&self->directory);
    free (self->config);
    self->config = NULL;
}

int own_check_free (own_t *self)
{
    assert (self != NULL);
    joined_t *joined;
    problem_t problem;
    int rc = membership_load (self->store, &joined, &problem);
    if (rc == ERROR_NOT_FOUND)
        return CLI_DONE;
    if (rc != 0)
        return cli_fail_problem (&problem);
    cli_fail ("this node is in group %s already; nothing was changed. Make another node with `evomesh init "
              "--dir DIR`",
              joined->group.name);
    membership_destroy (&joined);
    return CLI_FAILED;
}
