/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "node/io/sandbox_tree.h"

/* A file of a process, NUL-terminated; false if it is gone, not ours to read, or empty. */
static bool s_read (const char *path, char *text, size_t size)
{
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read (fd, text, size - 1);
    close (fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* Appends the process numbers in `text` to pids[count..max). */
static size_t s_parse_pids (const char *text, pid_t *pids, size_t count, size_t max)
{
    char *end = NULL;
    for (; count < max; text = end) {
        long pid = strtol (text, &end, 10);
        if (end == text || pid <= 0)
            break;
        pids[count++] = (pid_t)pid;
    }
    return count;
}

size_t tree_children (pid_t parent, pid_t *pids, size_t max)
{
    assert (pids != NULL);
    char path[64], text[16384];
    size_t count = 0;
    snprintf (path, sizeof path, "/proc/%d/task", (int)parent);
    DIR *threads = opendir (path);
    if (threads == NULL)
        return 0; /* it ended meanwhile; its children are the supervisor's now */
    for (struct dirent *thread; count < max && (thread = readdir (threads));) {
        if (thread->d_name[0] == '.')
            continue;
        char children[sizeof path + 280];
        snprintf (children, sizeof children, "%s/%s/children", path, thread->d_name);
        if (s_read (children, text, sizeof text))
            count = s_parse_pids (text, pids, count, max);
    }
    closedir (threads);
    return count;
}

static uint64_t s_resident_bytes (pid_t pid)
{
    char path[64], text[128];
    unsigned long long total, resident;
    snprintf (path, sizeof path, "/proc/%d/statm", (int)pid);
    if (!s_read (path, text, sizeof text) || sscanf (text, "%llu %llu", &total, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf (_SC_PAGESIZE);
}

void tree_sample (pid_t root, tree_t *tree)
{
    assert (tree != NULL);
    assert (root > 0);
    size_t found = tree_children (root, tree->pids, TREE_PROCESSES_MAX);
    tree->resident_bytes = 0;
    for (size_t i = 0; i < found; i++) {
        tree->resident_bytes += s_resident_bytes (tree->pids[i]);
        found += tree_children (tree->pids[i], tree->pids + found, TREE_PROCESSES_MAX - found);
    }
    tree->processes = found;
}

uint64_t tree_proportional_bytes (const tree_t *tree)
{
    assert (tree != NULL);
    uint64_t sum = 0;
    for (size_t i = 0; i < tree->processes; i++) {
        char path[64], text[4096];
        unsigned long long kib;
        snprintf (path, sizeof path, "/proc/%d/smaps_rollup", (int)tree->pids[i]);
        const char *line = s_read (path, text, sizeof text) ? strstr (text, "\nPss:") : NULL;
        if (line && sscanf (line, "\nPss: %llu kB", &kib) == 1)
            sum += kib * 1024;
        else
            sum += s_resident_bytes (tree->pids[i]);
    }
    return sum;
}

uint64_t tree_tmpfs_bytes (int fd)
{
    /* Empty files take no blocks but kernel memory all the same: about this much for inode and name. */
    const uint64_t inode_bytes = 1024;
    struct statfs status;
    if (fstatfs (fd, &status) != 0)
        return 0;
    return (uint64_t)(status.f_blocks - status.f_bfree) * (uint64_t)status.f_bsize +
           (uint64_t)(status.f_files - status.f_ffree) * inode_bytes;
}
