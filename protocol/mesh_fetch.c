/* SPDX-License-Identifier: MPL-2.0 */
/* Contents by hash: asked for in chunks, a few at a time, put together, and believed only when the hash is right. */
#include "protocol/mesh_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- what is on its way --- */

void mesh_download_destroy (download_t **self_p)
{
    download_t *self = *self_p;
    if (self != NULL)
        free (self->bytes);
    free (self);
    *self_p = NULL;
}

static void s_output_fetched (uint64_t operation, const pubkey_t *peer, const digest_t *content, int result,
                              mesh_outputs_t *out)
{
    mesh_output_t *output = mesh_output (out, MESH_FETCHED);
    output->operation = operation;
    output->peer = *peer;
    output->content = *content;
    output->result = result;
}

/* Ends the fetch at `index`; a good one hands its bytes over. */
static void s_end (mesh_t *self, size_t index, int result, mesh_outputs_t *out)
{
    assert (index < self->download_count && self->download_count <= LIMIT_OPERATIONS);
    download_t *download = self->downloads[index];
    self->download_count--;
    memmove (&self->downloads[index], &self->downloads[index + 1],
             (self->download_count - index) * sizeof *self->downloads);
    s_output_fetched (download->operation, &download->peer, &download->content, result, out);
    if (result == 0) {
        assert (download->is_sized && download->total <= LIMIT_CONTENT_BYTES);
        buffer_t *bytes = &out->items[out->count - 1].bytes;
        *bytes = (buffer_t){
            .data = download->bytes, .size = (size_t)download->total, .capacity = (size_t)download->total};
        download->bytes = NULL;
    }
    mesh_download_destroy (&download);
}

void mesh_end_fetches (mesh_t *self, const pubkey_t *peer, int result, mesh_outputs_t *out)
{
    assert (result != 0);
    for (size_t i = self->download_count; i-- > 0;)
        if (pubkey_equal (&self->downloads[i]->peer, peer))
            s_end (self, i, result, out);
}

static unsigned s_chunk_count (const download_t *download)
{
    if (!download->is_sized || download->total == 0)
        return 1; /* the first tells the size, and stands for an empty content too */
    return (unsigned)((download->total + LIMIT_CHUNK_BYTES - 1) / LIMIT_CHUNK_BYTES);
}

static bool s_is_whole (const download_t *download)
{
    unsigned count = s_chunk_count (download);
    return download->is_sized &&
           download->have == (count == MESH_CHUNKS ? UINT64_MAX : (UINT64_C (1) << count) - 1);
}

static bool s_is_asked (const download_t *download, unsigned chunk)
{
    assert (chunk < MESH_CHUNKS);
    for (size_t i = 0; i < MESH_CHUNKS_AT_ONCE; i++)
        if (download->asked[i].used && download->asked[i].chunk == chunk)
            return true;
    return false;
}

static void s_ask (mesh_t *self, download_t *download, size_t place, unsigned chunk, uint64_t now_ms,
                   uint64_t wall_ms, mesh_outputs_t *out)
{
    assert (place < MESH_CHUNKS_AT_ONCE && chunk < s_chunk_count (download));
    assert ((download->have >> chunk & 1) == 0);
    fetch_t fetch = {
        .to = download->peer, .content = download->content, .offset = (uint64_t)chunk * LIMIT_CHUNK_BYTES};
    download->asked[place].request =
        mesh_say (self, MESH_SEND, &download->peer, NULL, MESSAGE_FETCH, &fetch, wall_ms, out);
    download->asked[place].used = true;
    download->asked[place].chunk = chunk;
    download->asked[place].retry_ms = now_ms + MESH_RETRY_MS;
}

/* Asks for what is neither here nor on its way, and again for what took too long. */
static void s_pump (mesh_t *self, download_t *download, uint64_t now_ms, uint64_t wall_ms,
                    mesh_outputs_t *out)
{
    const peer_t *peer = mesh_find_peer (self, &download->peer);
    if (peer == NULL || !mesh_is_up (peer))
        return;
    unsigned chunk = 0, count = s_chunk_count (download);
    for (size_t i = 0; i < MESH_CHUNKS_AT_ONCE; i++) {
        if (download->asked[i].used) {
            if (now_ms >= download->asked[i].retry_ms)
                s_ask (self, download, i, download->asked[i].chunk, now_ms, wall_ms, out);
            continue;
        }
        while (chunk < count && ((download->have >> chunk & 1) != 0 || s_is_asked (download, chunk)))
            chunk++;
        if (chunk < count)
            s_ask (self, download, i, chunk, now_ms, wall_ms, out);
    }
}

void mesh_fetch (mesh_t *self, uint64_t operation, const pubkey_t *peer, const digest_t *content,
                 uint64_t timeout_ms, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out)
{
    if (mesh_find_peer (self, peer) == NULL) {
        s_output_fetched (operation, peer, content, ERROR_NOT_FOUND, out);
        return;
    }
    download_t *download = self->download_count < LIMIT_OPERATIONS ? calloc (1, sizeof *download) : NULL;
    if (download == NULL) {
        s_output_fetched (operation, peer, content, ERROR_BUSY, out);
        return;
    }
    download->operation = operation;
    download->peer = *peer;
    download->content = *content;
    download->deadline_ms = timeout_ms < MESH_NEVER - now_ms ? now_ms + timeout_ms : MESH_NEVER;
    self->downloads[self->download_count++] = download;
    mesh_tick_fetches (self, now_ms, wall_ms, out);
}

void mesh_fetch_cancel (mesh_t *self, uint64_t operation)
{
    for (size_t i = 0; i < self->download_count; i++) {
        if (self->downloads[i]->operation != operation)
            continue;
        mesh_download_destroy (&self->downloads[i]);
        self->download_count--;
        memmove (&self->downloads[i], &self->downloads[i + 1],
                 (self->download_count - i) * sizeof *self->downloads);
        return;
    }
}

/* The fetch that this peer's answer belongs to, and the place in it; -1 if it is none (any more). */
static int s_find (const mesh_t *self, const incoming_t *in, const digest_t *request, size_t *place)
{
    for (size_t i = 0; i < self->download_count; i++)
        for (size_t j = 0; j < MESH_CHUNKS_AT_ONCE; j++)
            if (self->downloads[i]->asked[j].used &&
                digest_equal (&self->downloads[i]->asked[j].request, request) &&
                pubkey_equal (&self->downloads[i]->peer, &in->author)) {
                *place = j;
                return (int)i;
            }
    return -1;
}

/* Is the chunk what was asked for, of a content that can be? Sets the size with the first. 0 or an error. */
static int s_check (download_t *download, unsigned index, const chunk_t *chunk)
{
    uint64_t offset = (uint64_t)index * LIMIT_CHUNK_BYTES;
    if (!digest_equal (&chunk->content, &download->content) || chunk->offset != offset)
        return ERROR_MISMATCH;
    if (chunk->total > LIMIT_CONTENT_BYTES)
        return ERROR_BOUND;
    if (download->is_sized ? chunk->total != download->total : false)
        return ERROR_MISMATCH;
    if (offset > chunk->total || chunk->bytes.size != mesh_earlier (chunk->total - offset, LIMIT_CHUNK_BYTES))
        return ERROR_MISMATCH;
    if (!download->is_sized && chunk->total > 0) {
        download->bytes = malloc ((size_t)chunk->total);
        if (download->bytes == NULL)
            return ERROR_MEMORY;
    }
    download->is_sized = true;
    download->total = chunk->total;
    return 0;
}

void mesh_take_chunk (mesh_t *self, const incoming_t *in)
{
    const chunk_t *chunk = &in->message.as.chunk;
    size_t place = 0;
    int index = s_find (self, in, &chunk->request, &place);
    if (index < 0)
        return; /* it took too long */
    download_t *download = self->downloads[index];
    assert (place < MESH_CHUNKS_AT_ONCE && download->asked[place].used);
    unsigned at = download->asked[place].chunk;
    download->asked[place].used = false;
    int rc = s_check (download, at, chunk);
    if (rc == 0) {
        assert (at < s_chunk_count (download));
        assert ((size_t)at * LIMIT_CHUNK_BYTES + chunk->bytes.size <= download->total);
        if (chunk->bytes.size > 0)
            memcpy (download->bytes + (size_t)at * LIMIT_CHUNK_BYTES, chunk->bytes.data, chunk->bytes.size);
        download->have |= UINT64_C (1) << at;
    }
    if (rc == 0 && !s_is_whole (download)) {
        s_pump (self, download, in->now_ms, in->wall_ms, in->out);
        return;
    }
    if (rc == 0) {
        digest_t real = digest_of (download->bytes, (size_t)download->total);
        rc = digest_equal (&real, &download->content) ? 0 : ERROR_MISMATCH;
    }
    s_end (self, (size_t)index, rc, in->out);
    mesh_tick_fetches (self, in->now_ms, in->wall_ms, in->out); /* the next one's turn */
}

bool mesh_fetch_refused (mesh_t *self, const incoming_t *in, const digest_t *request, int code)
{
    size_t place = 0;
    int index = s_find (self, in, request, &place);
    if (index < 0)
        return false;
    if (code == ERROR_BUSY)
        return true; /* it is asked for again when its time is up */
    s_end (self, (size_t)index, code, in->out);
    mesh_tick_fetches (self, in->now_ms, in->wall_ms, in->out);
    return true;
}

void mesh_tick_fetches (mesh_t *self, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out)
{
    for (size_t i = self->download_count; i-- > 0;)
        if (now_ms >= self->downloads[i]->deadline_ms)
            s_end (self, i, ERROR_TIMEOUT, out);
    for (size_t i = 0; i < self->download_count && i < MESH_FETCHES_AT_ONCE; i++)
        s_pump (self, self->downloads[i], now_ms, wall_ms, out);
}

uint64_t mesh_fetches_deadline_ms (const mesh_t *self)
{
    uint64_t deadline_ms = MESH_NEVER;
    for (size_t i = 0; i < self->download_count; i++) {
        const download_t *download = self->downloads[i];
        deadline_ms = mesh_earlier (deadline_ms, download->deadline_ms);
        const peer_t *peer = mesh_find_peer (self, &download->peer);
        if (i >= MESH_FETCHES_AT_ONCE || peer == NULL || !mesh_is_up (peer))
            continue;
        bool is_waiting = false;
        for (size_t j = 0; j < MESH_CHUNKS_AT_ONCE; j++) {
            is_waiting = is_waiting || download->asked[j].used;
            if (download->asked[j].used)
                deadline_ms = mesh_earlier (deadline_ms, download->asked[j].retry_ms);
        }
        if (!is_waiting)
            return 0; /* its peer came up meanwhile */
    }
    return deadline_ms;
}

/* --- the other side --- */

void mesh_serve_fetch_request (mesh_t *self, const incoming_t *in)
{
    assert (in->peer != NULL && in->curve != NULL);
    if (!mesh_take_tokens (&in->peer->served, 1, in->now_ms)) {
        mesh_say_refused (self, &in->author, in->curve, &in->id, ERROR_BUSY, in->wall_ms, in->out);
        return;
    }
    mesh_output_t *output = mesh_output (in->out, MESH_SERVE);
    output->peer = in->author;
    output->curve = *in->curve;
    output->request = in->id;
    output->content = in->message.as.fetch.content;
    output->number = in->message.as.fetch.offset;
}

void mesh_serve (mesh_t *self, const mesh_output_t *asked, const uint8_t *data, size_t size, uint64_t total,
                 uint64_t wall_ms, mesh_outputs_t *out)
{
    assert (asked->kind == MESH_SERVE);
    pubkey_t curve = asked->curve; /* copies: `asked` may stand in the list that grows here */
    chunk_t chunk = {.to = asked->peer,
                     .request = asked->request,
                     .content = asked->content,
                     .offset = asked->number,
                     .total = total,
                     .bytes = bytes_of (data, (size_t)mesh_earlier (size, LIMIT_CHUNK_BYTES))};
    int code = 0;
    if (data == NULL)
        code = ERROR_NOT_FOUND;
    else if (total > LIMIT_CONTENT_BYTES)
        code = ERROR_BOUND;
    else if (chunk.offset > total)
        code = ERROR_INPUT;
    assert (code != 0 || size == total - chunk.offset || size >= LIMIT_CHUNK_BYTES);
    if (code != 0)
        mesh_say_refused (self, &chunk.to, &curve, &chunk.request, code, wall_ms, out);
    else
        mesh_say (self, MESH_REPLY, &chunk.to, &curve, MESSAGE_CHUNK, &chunk, wall_ms, out);
}
