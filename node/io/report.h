/* SPDX-License-Identifier: MPL-2.0 */
/* What the node tells of itself on the control socket, as JSON text (control.h has the forms). All malloc'ed; NULL only when out of
 * memory. */
#ifndef EVOMESH_NODE_IO_REPORT_H
#define EVOMESH_NODE_IO_REPORT_H

#include <jansson.h>

#include "node/turn.h"

typedef struct {
    uint64_t uptime_ms;
    const char *problem; /* of the store; NULL: none */
    const address_t *listening;
    size_t listening_count;
    bool was_denied; /* a peer denied our key, as that of a revoked member, and none has spoken since */
    json_t *llm;     /* what was spent on models (taken over by report_status); NULL: there are none */
} report_process_t;

char *report_status (const turn_t *turn, const report_process_t *process);
char *report_members (const turn_t *turn);
char *report_peers (const turn_t *turn, uint64_t now_ms);
/* How far the improvement `id` is; "null" if it isn't under way. */
char *report_progress (const turn_t *turn, const digest_t *id, uint64_t now_ms);
/* {"text", "value"} of a REPLY. */
char *report_reply (const reply_t *reply);
/* {"event": …} of a NOTIFY. */
char *report_event (const notify_t *event);

#endif
