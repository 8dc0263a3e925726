/* SPDX-License-Identifier: MPL-2.0 */
/* Where the node listens, and what it tells its peers. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/reactor_internal.h"

#define LISTEN_DEFAULT "tcp://127.0.0.1:*"
#define SETTING_BOUND  "bound%zu" /* the rpc endpoint of the last run, by place in the list */

/* The port at the end of an endpoint; 0 for "*" and for what is none. */
static unsigned s_port (const char *endpoint)
{
    const char *colon = strrchr (endpoint, ':');
    if (colon == NULL || !isdigit ((unsigned char)colon[1]))
        return 0;
    unsigned long port = strtoul (colon + 1, NULL, 10);
    return port > 65535 ? 0 : (unsigned)port;
}

/* `endpoint` with another port. */
static void s_with_port (const char *endpoint, unsigned port, char out[LIMIT_ENDPOINT + 1])
{
    const char *colon = strrchr (endpoint, ':');
    bool has_port = colon != NULL && colon[1] != '/';
    int host = has_port ? (int)(colon - endpoint) : (int)strlen (endpoint);
    snprintf (out, LIMIT_ENDPOINT + 1, "%.*s:%u", host > LIMIT_ENDPOINT - 8 ? LIMIT_ENDPOINT - 8 : host,
              endpoint, port);
}

/* The same interface with the port of the last run, so that peers who were away find the node again. */
static int s_bind_as_before (reactor_t *self, const char *listen, size_t i)
{
    char name[32], endpoint[LIMIT_ENDPOINT + 1];
    snprintf (name, sizeof name, SETTING_BOUND, i);
    size_t size;
    uint8_t *before = store_setting_get (self->store, name, &size);
    if (before == NULL || size > LIMIT_ENDPOINT) {
        free (before);
        return -1;
    }
    memcpy (endpoint, before, size);
    endpoint[size] = '\0';
    free (before);
    unsigned port = s_port (endpoint);
    if (port == 0)
        return -1;
    s_with_port (listen, port, endpoint);
    return bus_bind (self->bus, endpoint, self->bound[i].rpc, self->bound[i].pub, NULL);
}

static int s_bind_one (reactor_t *self, const char *listen, size_t i, problem_t *problem)
{
    bool any_port = s_port (listen) == 0;
    if (any_port && s_bind_as_before (self, listen, i) == 0)
        return 0;
    return bus_bind (self->bus, listen, self->bound[i].rpc, self->bound[i].pub, problem);
}

/* Notes a port that we were free to choose, for the next run; only once it is certain that there is this one. */
static int s_remember (reactor_t *self, const char *listen, size_t i, problem_t *problem)
{
    char name[32];
    const char *rpc = self->bound[i].rpc;
    snprintf (name, sizeof name, SETTING_BOUND, i);
    if (s_port (listen) != 0 ||
        store_setting_put (self->store, name, (const uint8_t *)rpc, strlen (rpc)) == 0)
        return 0;
    return problem_set (problem, "%s", store_problem (self->store));
}

/* What peers are told when the operator says nothing: where we are bound. */
static int s_advertise_bound (reactor_t *self, size_t count, problem_t *problem)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr (self->bound[i].rpc, "//0.0.0.0:") != NULL ||
            strstr (self->bound[i].rpc, "//[::]:") != NULL)
            return problem_set (problem,
                                "node.yaml: listen: %s is no address that peers could reach; say which with "
                                "`advertise: tcp://HOST:%u`",
                                self->bound[i].rpc, s_port (self->bound[i].rpc));
        self->addresses[i] = (address_t){text_of (self->bound[i].rpc), text_of (self->bound[i].pub)};
    }
    self->address_count = count;
    return 0;
}

/* An advertised endpoint names the rpc socket; the pub socket is beside it, as far from it as where we are bound. */
static int s_advertise (reactor_t *self, const char *endpoint, size_t i, problem_t *problem)
{
    unsigned rpc = s_port (self->bound[0].rpc), pub = s_port (self->bound[0].pub);
    unsigned port = s_port (endpoint) == 0 ? rpc : s_port (endpoint);
    char (*texts)[LIMIT_ENDPOINT + 1] = self->advertised[i];
    if (strncmp (endpoint, "tcp://", 6) != 0)
        return problem_set (problem, "advertise: found \"%.80s\", expected tcp://HOST:PORT", endpoint);
    s_with_port (endpoint, port, texts[0]);
    s_with_port (texts[0], port == rpc ? pub : port + 1, texts[1]);
    self->addresses[i] = (address_t){text_of (texts[0]), text_of (texts[1])};
    self->address_count = i + 1;
    return 0;
}

/* What peers are told: as the options say, as node.yaml says, or where we are bound. */
static int s_advertise_all (reactor_t *self, size_t bound_count, problem_t *problem)
{
    const config_t *config = &self->config;
    if (self->options.advertise != NULL)
        return s_advertise (self, self->options.advertise, 0, problem);
    for (size_t i = 0; i < config->advertise_count; i++)
        if (s_advertise (self, config->advertise[i], i, problem) != 0)
            return -1;
    return config->advertise_count > 0 ? 0 : s_advertise_bound (self, bound_count, problem);
}

int reactor_bind (reactor_t *self, problem_t *problem)
{
    assert (self != NULL);
    const config_t *config = &self->config;
    const char *listen[LIMIT_ENDPOINTS] = {LISTEN_DEFAULT};
    size_t count = config->listen_count == 0 ? 1 : config->listen_count;
    for (size_t i = 0; i < config->listen_count; i++)
        listen[i] = config->listen[i];
    if (self->options.listen != NULL) {
        listen[0] = self->options.listen;
        count = 1;
    }
    for (size_t i = 0; i < count; i++)
        if (s_bind_one (self, listen[i], i, problem) != 0)
            return -1;
    if (s_advertise_all (self, count, problem) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (s_remember (self, listen[i], i, problem) != 0)
            return -1;
    return 0;
}
