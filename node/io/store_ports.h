/* SPDX-License-Identifier: MPL-2.0 */
/* The store behind the ports of a turn. */
#ifndef EVOMESH_NODE_IO_STORE_PORTS_H
#define EVOMESH_NODE_IO_STORE_PORTS_H

#include "node/io/store.h"
#include "node/ports.h"

/* Fills in the ports for what is kept, from `begin` to `reserve_seq`. `ports->context` must be a struct whose first member is the
 * store: `store_t *store`, open as long as the ports are used. */
void store_ports (ports_t *ports);

/* The port `put_record` of these, for an owner who puts one of its own in its place. */
int store_ports_put_record (void *context, record_table_t table, const digest_t *key, const uint8_t *bytes,
                            size_t size);

#endif
