/* SPDX-License-Identifier: MPL-2.0 */
/* A request on the control socket, read from its JSON. */
#ifndef EVOMESH_NODE_IO_CONTROL_REQUEST_H
#define EVOMESH_NODE_IO_CONTROL_REQUEST_H

#include "node/io/control.h"

typedef struct {
    control_request_t request;
    struct json_t *root;              /* what the texts point into */
    char numbers[LIMIT_METADATA][32]; /* texts of arguments that are numbers */
    uint8_t *content;
    bytes_t *contents; /* each malloc'ed */
} parsed_request_t;

/* Reads it. 0 (then control_request_clear), or -1 with the problem: what was found, what is expected. */
int control_request_parse (parsed_request_t *self, const char *data, size_t size, problem_t *problem);
void control_request_clear (parsed_request_t *self);

#endif
