/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/suite.h"
#include "node/io/sandbox_tree.h"

#define MIB 1048576UL

static tree_t s_tree;

/* A child that says "ready" through a pipe once `work` is done, then waits for its end. */
static pid_t s_start (void (*work) (void))
{
    int ends[2];
    char byte;
    ck_assert_int_eq (pipe (ends), 0);
    pid_t pid = fork ();
    if (pid == 0) {
        prctl (PR_SET_PDEATHSIG, SIGKILL);
        work ();
        _exit (write (ends[1], "r", 1) == 1 && pause () == 0);
    }
    ck_assert_int_eq (read (ends[0], &byte, 1), 1);
    close (ends[0]);
    close (ends[1]);
    return pid;
}

static void s_end (pid_t pid)
{
    kill (pid, SIGKILL);
    waitpid (pid, NULL, 0);
}

static void s_nothing (void)
{
}

static char *s_pages;

static void s_take_pages (void)
{
    s_pages = mmap (NULL, 32 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset (s_pages, 1, 32 * MIB);
}

static void s_have_children (void)
{
    s_start (s_nothing);
    s_start (s_nothing);
}

static void s_have_grandchildren (void)
{
    s_start (s_have_children);
}

/* Four children that share the parent's 32 MiB. */
static void s_share_pages (void)
{
    s_take_pages ();
    for (int i = 0; i < 4; i++)
        s_start (s_nothing);
}

START_TEST (every_descendant_is_counted_but_not_the_root)
{
    pid_t root = s_start (s_have_grandchildren);
    tree_sample (root, &s_tree);
    ck_assert_uint_eq (s_tree.processes, 3);
    s_end (root);
}
END_TEST

START_TEST (a_process_without_children_is_an_empty_tree)
{
    pid_t root = s_start (s_nothing);
    tree_sample (root, &s_tree);
    ck_assert_uint_eq (s_tree.processes, 0);
    ck_assert_uint_eq (s_tree.resident_bytes, 0);
    s_end (root);
}
END_TEST

START_TEST (a_process_that_is_gone_is_an_empty_tree)
{
    pid_t root = s_start (s_nothing);
    s_end (root);
    tree_sample (root, &s_tree);
    ck_assert_uint_eq (s_tree.processes, 0);
}
END_TEST

START_TEST (resident_memory_is_summed_and_shared_pages_are_told_apart)
{
    pid_t child = s_start (s_share_pages);
    tree_sample (getpid (), &s_tree);
    ck_assert_uint_eq (s_tree.processes, 5);
    ck_assert_uint_ge (s_tree.resident_bytes, 32 * MIB);
    uint64_t proportional = tree_proportional_bytes (&s_tree);
    ck_assert_uint_ge (proportional, 32 * MIB);
    ck_assert_uint_lt (proportional, 64 * MIB);
    s_end (child);
}
END_TEST

START_TEST (children_are_listed_up_to_a_bound)
{
    pid_t first = s_start (s_nothing), second = s_start (s_nothing), pids[2];
    ck_assert_uint_eq (tree_children (getpid (), pids, 2), 2);
    ck_assert_int_eq (pids[0], first);
    ck_assert_int_eq (pids[1], second);
    ck_assert_uint_eq (tree_children (getpid (), pids, 1), 1);
    s_end (first);
    s_end (second);
}
END_TEST

START_TEST (files_and_inodes_of_a_tmpfs_are_counted)
{
    int fd = open ("/dev/shm", O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge (fd, 0);
    uint64_t before = tree_tmpfs_bytes (fd);
    int file = openat (fd, "evomesh-test-tree", O_CREAT | O_RDWR | O_TRUNC, 0600);
    ck_assert_int_ge (file, 0);
    static char block[MIB];
    ck_assert_int_eq (write (file, block, sizeof block), sizeof block);
    ck_assert_uint_ge (tree_tmpfs_bytes (fd), before + MIB);
    unlinkat (fd, "evomesh-test-tree", 0);
    close (file);
    close (fd);
}
END_TEST

SUITE_MAIN ("sandbox_tree", every_descendant_is_counted_but_not_the_root,
            a_process_without_children_is_an_empty_tree, a_process_that_is_gone_is_an_empty_tree,
            resident_memory_is_summed_and_shared_pages_are_told_apart, children_are_listed_up_to_a_bound,
            files_and_inodes_of_a_tmpfs_are_counted)
