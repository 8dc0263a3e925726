/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/checkout.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

typedef struct {
    digest_t candidate;
    char path[PATH_MAX];
    size_t users;
    uint64_t used; /* order of the last use */
} checkout_t;

struct checkouts {
    const workshop_t *workshop;
    checkout_t *items[LIMIT_OPERATIONS + CHECKOUTS_KEPT];
    size_t count;
    uint64_t last_used;
};

checkouts_t *checkouts_new (const workshop_t *workshop)
{
    assert (workshop != NULL);
    checkouts_t *self = calloc (1, sizeof *self);
    if (self != NULL)
        self->workshop = workshop;
    return self;
}

static void s_remove (checkouts_t *self, size_t i)
{
    assert (i < self->count);
    workspace_remove (self->items[i]->path);
    free (self->items[i]);
    self->items[i] = self->items[--self->count];
}

void checkouts_destroy (checkouts_t **self_p)
{
    assert (self_p != NULL);
    checkouts_t *self = *self_p;
    if (self == NULL)
        return;
    while (self->count > 0)
        s_remove (self, self->count - 1);
    free (self);
    *self_p = NULL;
}

static checkout_t *s_find (checkouts_t *self, const digest_t *candidate)
{
    for (size_t i = 0; i < self->count; i++)
        if (digest_equal (&self->items[i]->candidate, candidate))
            return self->items[i];
    return NULL;
}

/* Removes the unused ones beyond those that are kept, oldest use first. */
static void s_trim (checkouts_t *self)
{
    for (;;) {
        size_t unused = 0, oldest = 0;
        for (size_t i = 0; i < self->count; i++) {
            if (self->items[i]->users > 0)
                continue;
            if (unused++ == 0 || self->items[i]->used < self->items[oldest]->used)
                oldest = i;
        }
        if (unused <= CHECKOUTS_KEPT)
            return;
        assert (self->items[oldest]->users == 0);
        s_remove (self, oldest);
    }
}

static checkout_t *s_make (checkouts_t *self, const digest_t *candidate, problem_t *problem)
{
    if (self->count == sizeof self->items / sizeof *self->items) {
        problem_set (problem, "too many candidates are laid out at once");
        return NULL;
    }
    checkout_t *made = calloc (1, sizeof *made);
    if (made == NULL) {
        problem_set (problem, "%s", error_text (ERROR_MEMORY));
        return NULL;
    }
    tree_t tree = {0};
    int rc = workshop_tree (self->workshop, candidate, &tree, problem);
    if (rc == 0)
        rc = workshop_lay_out (self->workshop, &tree, made->path, sizeof made->path, problem);
    tree_clear (&tree);
    if (rc != 0) {
        free (made);
        return NULL;
    }
    assert (made->path[0] == '/');
    made->candidate = *candidate;
    self->items[self->count++] = made;
    return made;
}

const char *checkouts_take (checkouts_t *self, const digest_t *candidate, problem_t *problem)
{
    assert (self != NULL && candidate != NULL);
    checkout_t *checkout = s_find (self, candidate);
    if (checkout == NULL)
        checkout = s_make (self, candidate, problem);
    if (checkout == NULL)
        return NULL;
    checkout->users++;
    checkout->used = ++self->last_used;
    assert (checkout->users > 0 && checkout->users <= LIMIT_OPERATIONS);
    s_trim (self);
    return checkout->path;
}

void checkouts_return (checkouts_t *self, const digest_t *candidate)
{
    assert (self != NULL && candidate != NULL);
    checkout_t *checkout = s_find (self, candidate);
    assert (checkout != NULL && checkout->users > 0);
    checkout->users--;
    s_trim (self);
}

size_t checkouts_count (const checkouts_t *self)
{
    assert (self != NULL);
    return self->count;
}
