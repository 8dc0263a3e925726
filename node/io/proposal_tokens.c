/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/tokens.h"
#include "node/io/proposal.h"

#include <stdlib.h>
#include <string.h>

/* Appends path, mode, length and what the file says; the length is known last. */
static void s_write_file (const tree_file_t *file, const uint8_t *bytes, size_t size, buffer_t *out)
{
    uint8_t head[1 + sizeof (uint64_t)] = {file->executable};
    buffer_t said = {0};
    tokens_write (file->path, (const char *)bytes, size, &said);
    for (size_t i = 0; i < sizeof (uint64_t); i++)
        head[1 + i] = (uint8_t)(said.size >> (8 * i));
    buffer_append (out, file->path, strlen (file->path) + 1);
    buffer_append (out, head, sizeof head);
    buffer_append (out, said.data, said.size);
    out->failed |= said.failed;
    buffer_clear (&said);
}

digest_t proposal_tokens (const workshop_t *shop, const tree_t *tree)
{
    buffer_t out = {0};
    digest_t digest = {{0}};
    bool whole = true;
    for (size_t i = 0; i < tree->count && whole; i++) {
        size_t size;
        uint8_t *bytes = store_content_get (shop->store, &tree->files[i].content, &size);
        whole = bytes != NULL;
        if (whole)
            s_write_file (&tree->files[i], bytes, size, &out);
        free (bytes);
    }
    if (whole && !out.failed)
        digest = digest_of (out.data, out.size);
    buffer_clear (&out);
    return digest;
}
