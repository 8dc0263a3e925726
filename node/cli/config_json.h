/* SPDX-License-Identifier: MPL-2.0 */
/* Settings as JSON, under the names and in the notations of the files that they stand in. */
#ifndef EVOMESH_NODE_CLI_CONFIG_JSON_H
#define EVOMESH_NODE_CLI_CONFIG_JSON_H

#include <jansson.h>

#include "node/config.h"

/* A text of node.yaml (of config_write, hence sound: asserted) as JSON. As JSON is YAML too, node.yaml takes that as well. */
json_t *config_json_node (const char *text);

/* The keys of a manifest, defaults filled in. */
json_t *config_json_agent (const agent_t *agent);

#endif
