/* SPDX-License-Identifier: MPL-2.0 */
/* One POST by libcurl: bounded in time and size, to exactly the address that was given. */
#ifndef EVOMESH_PROPOSERS_LLM_HTTP_H
#define EVOMESH_PROPOSERS_LLM_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/error.h"

#define LLM_REPLY_BYTES_MAX  (4 * 1024 * 1024) /* of a reply's body; a longer one is cut off and fails */
#define LLM_HEADER_BYTES_MAX (64 * 1024)       /* of all its headers */

/* Zero-initialise; llm_http_clear frees. */
typedef struct {
    long status;
    bool sent; /* the endpoint may have got the request, however it ended */
    char *body;
    size_t size;
    uint64_t retry_after_s;
    size_t header_size;
    bool too_long;
} llm_reply_t;

/* Posts JSON to `url` (http or https), with `key` as bearer unless it is empty. Follows no redirection, takes no proxy from the
 * environment, checks certificates. Returns 0 if a whole reply came, whatever its status; else -1 with the problem, which never
 * holds the key. */
int llm_http_post (const char *url, const char *key, const char *json, uint64_t timeout_ms,
                   llm_reply_t *reply, problem_t *problem);
void llm_http_clear (llm_reply_t *reply);

#endif
