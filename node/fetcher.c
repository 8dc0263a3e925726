/* SPDX-License-Identifier: MPL-2.0 */
#include "node/fetcher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/tree.h"

typedef struct {
    uint64_t operation; /* the core's; 0: free */
    uint64_t ticket;    /* the mesh's, of the content under way */
    pubkey_t peer;
    bool is_tree;
    bool has_manifest;
    uint64_t deadline_ms;
    buffer_t bytes; /* the content that was asked for */
    tree_t tree;
    size_t next; /* file that is under way, or comes next */
} fetch_state_t;

struct fetcher {
    const ports_t *ports;
    fetcher_done_fn *done;
    void *context;
    uint64_t last_ticket;
    fetch_state_t fetches[LIMIT_OPERATIONS];
};

/* What the functions below pass along. */
typedef struct {
    mesh_t *mesh;
    uint64_t now_ms;
    uint64_t wall_ms;
    mesh_outputs_t *out;
} way_t;

fetcher_t *fetcher_new (const ports_t *ports, fetcher_done_fn *done, void *context)
{
    assert (ports != NULL && done != NULL);
    fetcher_t *self = calloc (1, sizeof *self);
    if (self != NULL)
        *self = (fetcher_t){.ports = ports, .done = done, .context = context};
    return self;
}

static void s_clear (fetch_state_t *fetch)
{
    buffer_clear (&fetch->bytes);
    tree_clear (&fetch->tree);
    memset (fetch, 0, sizeof *fetch);
}

void fetcher_destroy (fetcher_t **self_p)
{
    fetcher_t *self = *self_p;
    if (self == NULL)
        return;
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        s_clear (&self->fetches[i]);
    free (self);
    *self_p = NULL;
}

size_t fetcher_count (const fetcher_t *self)
{
    assert (self);
    size_t count = 0;
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        count += self->fetches[i].operation != 0;
    return count;
}

/* Frees the place first: the owner may start another fetch at once. */
static void s_end (fetcher_t *self, fetch_state_t *fetch, bool failed)
{
    assert (fetch->operation != 0);
    fetch_state_t ended = *fetch;
    memset (fetch, 0, sizeof *fetch);
    fetched_t event = {.operation = ended.operation, .result = failed};
    if (!failed)
        event.bytes = bytes_of (ended.bytes.data, ended.bytes.size);
    self->done (self->context, &event);
    s_clear (&ended);
}

/* Asks the mesh for a content; it answers with MESH_FETCHED within the time that is left. */
static void s_ask (fetcher_t *self, fetch_state_t *fetch, const digest_t *content, const way_t *way)
{
    assert (fetch->operation != 0 && content != NULL);
    if (way->now_ms >= fetch->deadline_ms) {
        s_end (self, fetch, true);
        return;
    }
    fetch->ticket = ++self->last_ticket;
    mesh_fetch (way->mesh, fetch->ticket, &fetch->peer, content, fetch->deadline_ms - way->now_ms,
                way->now_ms, way->wall_ms, way->out);
}

/* True if a content that the store has is as large as the list says. */
static bool s_has_size (const fetcher_t *self, const tree_file_t *file)
{
    size_t size = 0;
    uint8_t *bytes = self->ports->get_content (self->ports->context, &file->content, &size);
    bool same = bytes != NULL && size == file->size;
    free (bytes);
    return same;
}

/* Goes on to the next file that the store lacks; ends where there is none, or where the list lies. */
static void s_next_file (fetcher_t *self, fetch_state_t *fetch, const way_t *way)
{
    assert (fetch->is_tree && fetch->has_manifest);
    while (fetch->next < fetch->tree.count) {
        const tree_file_t *file = &fetch->tree.files[fetch->next];
        if (!self->ports->has_content (self->ports->context, &file->content)) {
            s_ask (self, fetch, &file->content, way);
            return;
        }
        if (!s_has_size (self, file)) {
            s_end (self, fetch, true);
            return;
        }
        fetch->next++;
    }
    s_end (self, fetch, false);
}

/* True if the fetched bytes are a tree within the bounds; then fetch->tree is it. */
static bool s_read_tree (fetch_state_t *fetch)
{
    assert (fetch->is_tree && fetch->tree.count == 0);
    digest_t evaluator;
    if (tree_decode (fetch->bytes.data, fetch->bytes.size, &fetch->tree, &evaluator) != 0 ||
        fetch->tree.count > LIMIT_EVOLVE_FILES)
        return false;
    for (size_t i = 0; i < fetch->tree.count; i++)
        if (fetch->tree.files[i].size > LIMIT_FILE_BYTES)
            return false;
    return true;
}

/* The content that was asked for is here (in fetch->bytes, and in the store). */
static void s_have_manifest (fetcher_t *self, fetch_state_t *fetch, const way_t *way)
{
    assert (fetch->operation != 0 && !fetch->has_manifest);
    fetch->has_manifest = true;
    if (fetch->bytes.failed || fetch->bytes.size > LIMIT_PACKAGE_BYTES)
        s_end (self, fetch, true);
    else if (!fetch->is_tree)
        s_end (self, fetch, false);
    else if (!s_read_tree (fetch))
        s_end (self, fetch, true);
    else
        s_next_file (self, fetch, way);
}

static fetch_state_t *s_place (fetcher_t *self)
{
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        if (self->fetches[i].operation == 0)
            return &self->fetches[i];
    return NULL;
}

void fetcher_start (fetcher_t *self, mesh_t *mesh, const fetch_content_t *effect, uint64_t now_ms,
                    uint64_t wall_ms, mesh_outputs_t *out)
{
    assert (self && mesh && effect);
    assert (effect->operation != 0);
    way_t way = {mesh, now_ms, wall_ms, out};
    fetch_state_t *fetch = s_place (self);
    if (fetch == NULL) {
        fetched_t event = {.operation = effect->operation, .result = 1};
        self->done (self->context, &event);
        return;
    }
    *fetch = (fetch_state_t){.operation = effect->operation,
                             .peer = effect->peer,
                             .is_tree = effect->tree,
                             .deadline_ms = now_ms + effect->timeout_ms};
    size_t size;
    uint8_t *bytes = self->ports->get_content (self->ports->context, &effect->content, &size);
    if (bytes == NULL) {
        s_ask (self, fetch, &effect->content, &way);
        return;
    }
    buffer_append (&fetch->bytes, bytes, size);
    free (bytes);
    s_have_manifest (self, fetch, &way);
}

bool fetcher_cancel (fetcher_t *self, mesh_t *mesh, uint64_t operation)
{
    assert (self && mesh);
    for (size_t i = 0; operation != 0 && i < LIMIT_OPERATIONS; i++) {
        fetch_state_t *fetch = &self->fetches[i];
        if (fetch->operation != operation)
            continue;
        mesh_fetch_cancel (mesh, fetch->ticket);
        s_clear (fetch);
        return true;
    }
    return false;
}

int fetcher_fetched (fetcher_t *self, mesh_t *mesh, const mesh_output_t *fetched, uint64_t now_ms,
                     uint64_t wall_ms, mesh_outputs_t *out)
{
    assert (self && mesh && fetched);
    way_t way = {mesh, now_ms, wall_ms, out};
    fetch_state_t *fetch = NULL;
    for (size_t i = 0; i < LIMIT_OPERATIONS && fetch == NULL; i++)
        if (self->fetches[i].operation != 0 && self->fetches[i].ticket == fetched->operation)
            fetch = &self->fetches[i];
    if (fetch == NULL)
        return 0;
    assert (!fetch->has_manifest || fetch->next < fetch->tree.count); /* a file is under way */
    bool fits = fetched->result == 0 &&
                (fetch->has_manifest ? fetched->bytes.size == fetch->tree.files[fetch->next].size
                                     : fetched->bytes.size <= LIMIT_PACKAGE_BYTES);
    if (!fits) {
        s_end (self, fetch, true);
        return 0;
    }
    int result = self->ports->put_content (self->ports->context, fetched->bytes.data, fetched->bytes.size);
    if (result != 0)
        return result;
    if (fetch->has_manifest)
        s_next_file (self, fetch, &way);
    else {
        buffer_append (&fetch->bytes, fetched->bytes.data, fetched->bytes.size);
        s_have_manifest (self, fetch, &way);
    }
    return 0;
}
