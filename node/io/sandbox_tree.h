/* SPDX-License-Identifier: MPL-2.0 */
/* What a tree of processes uses right now, read from /proc. */
#ifndef EVOMESH_NODE_IO_SANDBOX_TREE_H
#define EVOMESH_NODE_IO_SANDBOX_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TREE_PROCESSES_MAX 1024 /* a larger tree is counted up to here; every limit lies below */

typedef struct {
    pid_t pids[TREE_PROCESSES_MAX];
    uint64_t processes;
    uint64_t resident_bytes; /* sum of resident sizes: pages that n processes share count n times */
} tree_t;

/* Walks the descendants of `root`, which is not counted itself: that is our supervisor, the parent of every orphan
 * in the tree, so that nobody escapes the walk. */
void tree_sample (pid_t root, tree_t *tree);

/* Memory of the processes found by tree_sample, shared pages counted once. Slow (it walks page tables), so
 * only for when `resident_bytes` passes the limit. A process that hides its figure counts with its resident size. */
uint64_t tree_proportional_bytes (const tree_t *tree);

/* Children of one process into `pids`; returns their number, `max` at most. */
size_t tree_children (pid_t parent, pid_t *pids, size_t max);

/* Memory held by the files of the tmpfs that `fd` lies on, their inodes included. */
uint64_t tree_tmpfs_bytes (int fd);

#endif
