/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "sandbox_harness.h"

/* From here on, this process and its children get an error for one system call, as on machines that forbid it, if
 * its first argument has one of the bits of `flags`; 0: always. */
static void s_forbid (unsigned call, unsigned flags, unsigned error)
{
    struct sock_filter filter[] = {
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
        BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args)),
        BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, flags, 0, flags ? 1 : 0),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    ck_assert_int_eq (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq (prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static sandbox_lack_t s_lacks[SANDBOX_LACKS_MAX];

/* The lack whose text holds `word`; fails if there is none or it has no remedy. */
static const sandbox_lack_t *s_find (size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strstr (s_lacks[i].what, word)) {
            ck_assert_uint_gt (strlen (s_lacks[i].remedy), 0);
            return &s_lacks[i];
        }
    ck_abort_msg ("no lack speaks of %s (%zu lacks, first: %s)", word, count, count ? s_lacks[0].what : "");
    return NULL;
}

START_TEST (a_machine_that_runs_sandboxes_lacks_nothing_that_matters)
{
    size_t count;
    outcome_t outcome = harness_run (COMMAND ("true"));
    harness_expect (&outcome, "");
    ck_assert_msg (sandbox_probe (s_lacks, &count) == 0, "%s", s_lacks[0].what);
}
END_TEST

START_TEST (a_missing_landlock_is_fatal_and_has_a_remedy)
{
    size_t count;
    s_forbid (SYS_landlock_create_ruleset, 0, ENOSYS);
    ck_assert_uint_eq (sandbox_probe (s_lacks, &count), 1);
    ck_assert (s_find (count, "Landlock is missing")->fatal);
}
END_TEST

START_TEST (forbidden_namespaces_are_fatal_and_have_a_remedy)
{
    size_t count;
    s_forbid (SYS_clone, CLONE_NEWUSER, EPERM);
    ck_assert_uint_eq (sandbox_probe (s_lacks, &count), 1);
    ck_assert (s_find (count, "namespace")->fatal);
}
END_TEST

START_TEST (forbidden_mounts_are_fatal_and_name_what_bubblewrap_said)
{
    size_t count;
    s_forbid (SYS_mount, 0, EPERM);
    ck_assert_uint_eq (sandbox_probe (s_lacks, &count), 1);
    ck_assert (s_find (count, "Operation not permitted")->fatal);
}
END_TEST

SUITE_MAIN ("sandbox_probe", a_machine_that_runs_sandboxes_lacks_nothing_that_matters,
            a_missing_landlock_is_fatal_and_has_a_remedy, forbidden_namespaces_are_fatal_and_have_a_remedy,
            forbidden_mounts_are_fatal_and_name_what_bubblewrap_said)
