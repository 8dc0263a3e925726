/* SPDX-License-Identifier: MPL-2.0 */
/* Where the bus listens: ROUTER and PUB, side by side. */
#include "node/io/bus_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned s_port (const char *endpoint)
{
    const char *colon = strrchr (endpoint, ':');
    return colon != NULL ? (unsigned)strtoul (colon + 1, NULL, 10) : 0;
}

static int s_bind_one (bus_t *self, void *socket, const char *endpoint, char real[LIMIT_ENDPOINT + 1],
                       problem_t *problem)
{
    if (zmq_bind (socket, endpoint) != 0) {
        int code = errno == EADDRINUSE ? ERROR_CONFLICT : errno == EINVAL ? ERROR_INPUT : ERROR_IO;
        if (code == ERROR_CONFLICT)
            problem_set (problem,
                         "%s: the port is already in use; stop what listens there, or choose another port in "
                         "\"listen\"",
                         endpoint);
        else
            problem_set (problem, "%s: can't listen there: %s", endpoint, zmq_strerror (errno));
        return code;
    }
    size_t size = LIMIT_ENDPOINT + 1;
    if (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, real, &size) != 0) {
        problem_set (problem, "%s: the bound address can't be told: %s", endpoint, zmq_strerror (errno));
        return ERROR_IO;
    }
    assert (self->port_count < 2 * LIMIT_ENDPOINTS);
    self->ports[self->port_count++] = s_port (real);
    return 0;
}

/* The address beside `listen`: the same host with any free port, or with the next one. -1 if `listen` is no address. */
static int s_beside (const char *listen, char out[LIMIT_ENDPOINT + 1])
{
    const char *colon = strrchr (listen, ':');
    if (strncmp (listen, "tcp://", 6) != 0 || colon == NULL || colon < listen + 7 ||
        strlen (listen) + 2 > LIMIT_ENDPOINT)
        return -1;
    if (strcmp (colon, ":*") == 0) {
        snprintf (out, LIMIT_ENDPOINT + 1, "%s", listen);
        return 0;
    }
    char *end;
    unsigned long port = strtoul (colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port < 1 || port > 65534)
        return -1;
    snprintf (out, LIMIT_ENDPOINT + 1, "%.*s:%lu", (int)(colon - listen), listen, port + 1);
    return 0;
}

int bus_bind (bus_t *self, const char *listen, char rpc[LIMIT_ENDPOINT + 1], char pub[LIMIT_ENDPOINT + 1],
              problem_t *problem)
{
    assert (self != NULL && listen != NULL && rpc != NULL && pub != NULL);
    char beside[LIMIT_ENDPOINT + 1];
    if (s_beside (listen, beside) != 0) {
        problem_set (problem, "%s: expected tcp://HOST:PORT with a port from 1 to 65534, or * for any",
                     listen);
        return ERROR_INPUT;
    }
    if (self->port_count + 2 > 2 * LIMIT_ENDPOINTS) {
        problem_set (problem, "%s: a node listens at %d addresses at most", listen, LIMIT_ENDPOINTS);
        return ERROR_BOUND;
    }
    int on = strchr (listen, '[') != NULL;
    zmq_setsockopt (self->router, ZMQ_IPV6, &on, sizeof on);
    zmq_setsockopt (self->publisher, ZMQ_IPV6, &on, sizeof on);
    int rc = s_bind_one (self, self->router, listen, rpc, problem);
    if (rc != 0)
        return rc;
    rc = s_bind_one (self, self->publisher, beside, pub, problem);
    if (rc != 0) {
        assert (self->port_count > 0);
        zmq_unbind (self->router, rpc);
        self->port_count--;
    }
    return rc;
}
