/* SPDX-License-Identifier: MPL-2.0 */
/* What a program in the sandbox can't see, change or reach. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sandbox_harness.h"

START_TEST (the_environment_is_exactly_as_promised)
{
    setenv ("EVOMESH_SECRET_KEY", "leaked", 1);
    outcome_t outcome = harness_run (COMMAND ("env"));
    harness_expect (&outcome, "PATH=/usr/bin\nHOME=/tmp\nTMPDIR=/tmp\nLANG=C.UTF-8\n");
}
END_TEST

START_TEST (it_is_nobody_and_has_no_capability)
{
    outcome_t outcome = harness_run (SHELL ("id -u; id -g; id -G; grep -c 'Cap...:.0000000000000000' "
                                            "/proc/self/status; grep NoNewPrivs /proc/self/status"));
    harness_expect (&outcome, "65534\n65534\n65534\n5\nNoNewPrivs:\t1\n");
}
END_TEST

/* The kernel's view, from outside: user namespaces make uid 65534 out of anybody. */
START_TEST (it_is_never_kernel_user_zero)
{
    outcome_t outcome = harness_run (SHELL ("cat /proc/self/uid_map"));
    unsigned inside, outside, count;
    harness_expect_end (&outcome, SANDBOX_EXITED);
    ck_assert_int_eq (sscanf (outcome.output, "%u %u %u", &inside, &outside, &count), 3);
    ck_assert_uint_eq (count, 1); /* no other user exists for it */
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("sleep", "31.4159"));
    outcome_t sleeping = {.done = false};
    sandbox_run_t *run = harness_start (&self, &job, &sleeping);
    bool seen = false, root = false;
    while (!seen) { /* it needs no loop to start */
        FILE *list = popen (
            "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q '^sleep 31.4159' "
            "&& grep ^Uid: $p/status; done 2>/dev/null",
            "r");
        for (unsigned uid; list && fscanf (list, "Uid: %u %*u %*u %*u ", &uid) == 1;) {
            seen = true;
            root = root || uid == 0;
        }
        if (list)
            pclose (list);
    }
    sandbox_cancel (run);
    harness_wait (&self, &sleeping, 1);
    ck_assert_msg (!root, "it runs as kernel user 0");
    harness_destroy (&self);
}
END_TEST

START_TEST (no_file_of_the_machine_is_visible)
{
    outcome_t outcome = harness_run (SHELL ("ls -A /; for f in /etc/passwd /etc/shadow /root /home /var /run "
                                            "/sys /boot /proc/1/root/etc; do test -e $f && "
                                            "echo $f; done; ls -A /tmp /dev/shm; true"));
    char expected[] = "/dev/shm:\n\n/tmp:\n";
    harness_expect_end (&outcome, SANDBOX_EXITED);
    ck_assert_ptr_null (strstr (outcome.output, "/root"));
    ck_assert_ptr_null (strstr (outcome.output, "/etc/"));
    ck_assert_ptr_null (strstr (outcome.output, "home"));
    ck_assert_ptr_nonnull (strstr (outcome.output, expected));
}
END_TEST

START_TEST (a_data_directory_beside_the_agent_is_not_visible)
{
    scratch_t scratch = scratch_new ();
    char command[SCRATCH_PATH_BYTES + 80];
    scratch_write (&scratch, "data/identity", "secret");
    scratch_write (&scratch, "data/agent/file", "agent");
    scratch_path_t agent = scratch_path (&scratch, "data/agent"),
                   identity = scratch_path (&scratch, "data/identity");
    snprintf (command, sizeof command, "cat /agent/file; cat %s /agent/../identity 2>/dev/null; true",
              identity.text);
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (SHELL (command));
    job.mounts[0].source = agent.text;
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "agent");
    harness_destroy (&self);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (files_that_only_the_owner_may_read_can_be_mounted)
{
    scratch_t scratch = scratch_new ();
    scratch_write (&scratch, "private/seed", "42");
    ck_assert_int_eq (chmod (scratch_path (&scratch, "private/seed").text, 0600), 0);
    ck_assert_int_eq (chmod (scratch_path (&scratch, "private").text, 0700), 0);
    scratch_path_t private = scratch_path (&scratch, "private");
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("cat", "/private/seed"));
    job.mounts[job.mount_count++] = (sandbox_mount_t){private.text, "/private", false};
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "42");
    harness_destroy (&self);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (only_what_is_mounted_writable_can_be_written)
{
    scratch_t scratch = scratch_new ();
    scratch_write (&scratch, "ro/file", "as it was");
    scratch_write (&scratch, "rw/file", "as it was");
    scratch_path_t ro = scratch_path (&scratch, "ro"), rw = scratch_path (&scratch, "rw");
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (
        SHELL ("for f in /ro/file /ro/new /rw/file /rw/new /usr/new /etc/new /evomesh/new /evomesh/jail /new "
               "/dev/new "
               "/tmp/new /dev/shm/new; do echo changed 2>/dev/null >$f && echo $f; done 2>/dev/null; true"));
    job.mounts[job.mount_count++] = (sandbox_mount_t){ro.text, "/ro", false};
    job.mounts[job.mount_count++] = (sandbox_mount_t){rw.text, "/rw", true};
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "/rw/file\n/rw/new\n/tmp/new\n/dev/shm/new\n");
    scratch_expect (&scratch, "ro/file", "as it was");
    scratch_expect (&scratch, "rw/new", "changed\n");
    struct stat status;
    ck_assert_int_eq (stat (scratch_path (&scratch, "rw/new").text, &status), 0);
    ck_assert_uint_eq (status.st_uid, geteuid ()); /* what it made is the node's */
    harness_destroy (&self);
    scratch_remove (&scratch);
}
END_TEST

/* Containers keep their files on overlayfs, which can't map owners. */
START_TEST (a_root_node_can_mount_from_a_file_system_that_cannot_map_owners)
{
    if (geteuid () != 0)
        return; /* nobody else needs it */
    ck_assert_int_eq (unshare (CLONE_NEWNS), 0);
    ck_assert_int_eq (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    scratch_t scratch = scratch_new ();
    ck_assert_int_eq (mount ("none", scratch.path, "tmpfs", 0, NULL), 0);
    scratch_write (&scratch, "lower/d/file", "below\n");
    scratch_write (&scratch, "upper/d/file", "first\n");
    scratch_write (&scratch, "work/none", "");
    scratch_write (&scratch, "merged/none", "");
    char options[4 * SCRATCH_PATH_BYTES];
    snprintf (options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s",
              scratch_path (&scratch, "lower").text, scratch_path (&scratch, "upper").text,
              scratch_path (&scratch, "work").text);
    ck_assert_int_eq (mount ("none", scratch_path (&scratch, "merged").text, "overlay", 0, options), 0);
    scratch_path_t directory = scratch_path (&scratch, "merged/d");
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (SHELL ("echo second >>/d/file; echo new >/d/new; cat /d/file /d/new"));
    job.mounts[job.mount_count++] = (sandbox_mount_t){directory.text, "/d", true};
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "first\nsecond\nnew\n");
    scratch_expect (&scratch, "upper/d/file", "first\nsecond\n");
    harness_destroy (&self);
    umount2 (scratch_path (&scratch, "merged").text, MNT_DETACH);
    umount2 (scratch.path, MNT_DETACH);
    scratch_remove (&scratch);
}
END_TEST

/* Listens on loopback; what a program would have to reach. */
static int s_listen (char port[16])
{
    int fd = socket (AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl (INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    ck_assert_int_eq (bind (fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq (listen (fd, 8), 0);
    ck_assert_int_eq (getsockname (fd, (struct sockaddr *)&address, &size), 0);
    snprintf (port, 16, "%d", ntohs (address.sin_port));
    return fd;
}

START_TEST (the_network_is_there_only_if_granted)
{
    char port[16];
    int listener = s_listen (port);
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "connect", port));
    outcome_t without = harness_run_job (&self, &job);
    harness_expect (&without, "ECONNREFUSED\n"); /* a loopback of its own, with nobody on it */
    job.network = true;
    outcome_t with = harness_run_job (&self, &job);
    harness_expect (&with, "done\n");
    harness_destroy (&self);
    close (listener);
}
END_TEST

START_TEST (it_sees_no_process_but_its_own)
{
    outcome_t outcome = harness_run (SHELL ("cd /proc; echo [0-9]*"));
    harness_expect (&outcome, "1 2\n");
}
END_TEST

START_TEST (it_holds_no_descriptor_but_its_three)
{
    int leaked = open ("/etc/passwd", O_RDONLY); /* without close-on-exec, as a library might */
    ck_assert_int_ge (leaked, 0);
    outcome_t outcome = harness_run (COMMAND ("./trouble", "descriptors"));
    harness_expect (&outcome, "0 1 2 ");
    close (leaked);
}
END_TEST

START_TEST (signals_that_the_node_blocks_or_ignores_are_as_usual_inside)
{
    signal (SIGPIPE, SIG_IGN);
    sigset_t set;
    sigfillset (&set);
    sigprocmask (SIG_BLOCK, &set, NULL);
    outcome_t outcome = harness_run (SHELL ("grep -E 'Sig(Blk|Ign)' /proc/self/status"));
    harness_expect (&outcome, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}
END_TEST

START_TEST (the_kernels_dangerous_corners_are_closed)
{
    outcome_t outcome = harness_run (COMMAND ("./trouble", "calls"));
    harness_expect (&outcome,
                    "ptrace=EPERM\nunshare=EPERM\nclone=EPERM\nclone3=ENOSYS\nmount=EPERM\nbpf=EPERM\n"
                    "keyctl=EPERM\nuserfaultfd=EPERM\nio_uring=ENOSYS\nmemfd=ENOSYS\nprlimit=EPERM\n"
                    "kill=done\nterminate=done\nmemory=EACCES\nreport=EACCES\n");
}
END_TEST

START_TEST (a_compiler_works_inside)
{
    outcome_t outcome = harness_run (
        SHELL ("cd /tmp && echo 'int main (void) { return 3; }' >a.c && cc -O2 a.c -o a && ./a; echo $?"));
    harness_expect (&outcome, "3\n");
}
END_TEST

START_TEST (it_is_the_first_to_go_when_memory_runs_out)
{
    outcome_t outcome = harness_run (COMMAND ("cat", "/proc/self/oom_score_adj"));
    harness_expect (&outcome, "1000\n");
}
END_TEST

/* A node that is killed takes its sandboxes with it. */
START_TEST (the_tree_dies_with_the_node)
{
    int ends[2];
    ck_assert_int_eq (pipe (ends), 0);
    pid_t node = fork ();
    ck_assert_int_ge (node, 0);
    if (node == 0) {
        harness_t self = harness_new (false);
        sandbox_job_t job = harness_job (COMMAND ("./trouble", "stubborn", "token-orphaned"));
        outcome_t outcome = {.done = false};
        harness_start (&self, &job, &outcome);
        zloop_start (self.loop);
        _exit (0);
    }
    int64_t deadline_us = zclock_usecs () + 60000000;
    while (harness_count ("token-orphaned") < 7) /* bwrap, jail, the program and its four */
        ck_assert_int_lt (zclock_usecs (), deadline_us);
    int64_t killed_us = zclock_usecs ();
    kill (node, SIGKILL);
    waitpid (node, NULL, 0);
    while (harness_count ("token-orphaned") > 0)
        ck_assert_int_lt (zclock_usecs (), deadline_us);
    printf ("killed node: its sandbox was gone after %.1f ms\n",
            (double)(zclock_usecs () - killed_us) / 1000);
}
END_TEST

SUITE_MAIN ("sandbox_walls", the_environment_is_exactly_as_promised, it_is_nobody_and_has_no_capability,
            it_is_never_kernel_user_zero, no_file_of_the_machine_is_visible,
            a_data_directory_beside_the_agent_is_not_visible,
            files_that_only_the_owner_may_read_can_be_mounted, only_what_is_mounted_writable_can_be_written,
            a_root_node_can_mount_from_a_file_system_that_cannot_map_owners,
            the_network_is_there_only_if_granted, it_sees_no_process_but_its_own,
            it_holds_no_descriptor_but_its_three, signals_that_the_node_blocks_or_ignores_are_as_usual_inside,
            the_kernels_dangerous_corners_are_closed, a_compiler_works_inside,
            it_is_the_first_to_go_when_memory_runs_out, the_tree_dies_with_the_node)
