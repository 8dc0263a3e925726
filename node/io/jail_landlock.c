/* SPDX-License-Identifier: MPL-2.0 */
/* The jail's Landlock domain. All accesses that the running kernel knows are handled, and only those below allowed:
 * what isn't named here can't be opened, whatever its permissions say.
 *
 * ABI  since Linux  adds
 *  1   5.13         files; no tracing of processes outside the domain
 *  2   5.19         REFER        3   6.2   TRUNCATE
 *  4   6.7          TCP          5   6.10  IOCTL_DEV
 *  6   6.12         scopes: abstract sockets, signals (before it the seccomp filter stands in) */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/landlock.h>

#include "node/io/jail.h"

/* Newer than Debian 12's <linux/landlock.h>; the kernel takes a longer structure if what it doesn't know is zero. */
typedef struct {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
} ruleset_t;
#define ACCESS_TRUNCATE  (1ULL << 14)
#define ACCESS_IOCTL_DEV (1ULL << 15)
#define ACCESS_TCP       3ULL /* bind and connect */
#define SCOPES           3ULL /* abstract sockets and signals */

#define READ_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)
/* A compiler's needs. No links, soft or hard: nothing there may stand for a file elsewhere. */
#define WRITE_TREE                                                                \
    (READ_TREE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR)
#define READ_TREE (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static uint64_t s_handled (int abi)
{
    uint64_t access = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1; /* ABI 1: EXECUTE to MAKE_SYM */
    if (abi >= 2)
        access |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        access |= ACCESS_TRUNCATE;
    if (abi >= 5)
        access |= ACCESS_IOCTL_DEV;
    return access;
}

/* Allows `access` beneath `path`. If it can't be opened, leaves with `missing`, or with 0 does without it. */
static void s_allow (int ruleset, const char *path, uint64_t access, int missing)
{
    int fd = open (path, O_PATH | O_CLOEXEC);
    if (fd < 0 && !missing && (errno == ENOENT || errno == EACCES))
        return;
    struct stat status;
    if (fd < 0 || fstat (fd, &status) != 0)
        jail_die (missing ? missing : JAIL_EXIT_REFUSED, "cannot open %s: %s", path, strerror (errno));
    if (!S_ISDIR (status.st_mode))
        access &=
            READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE; /* others are for directories */
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    if (syscall (SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        jail_die (JAIL_EXIT_REFUSED, "cannot allow %s in the Landlock domain: %s", path, strerror (errno));
    close (fd);
}

static void s_allow_all (int ruleset, const jail_options_t *options, const char *program, int abi)
{
    static const char *const system[] = {
        "/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/alternatives"};
    static const char *const devices[] = {"/dev/zero", "/dev/random", "/dev/urandom"};
    for (size_t i = 0; i < sizeof system / sizeof system[0]; i++)
        s_allow (ruleset, system[i], READ_TREE, 0);
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        s_allow (ruleset, devices[i], LANDLOCK_ACCESS_FS_READ_FILE, 0);
    s_allow (ruleset, "/dev/null",
             LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | (abi >= 3 ? ACCESS_TRUNCATE : 0),
             0);
    s_allow (ruleset, program, READ_FILE, JAIL_EXIT_NO_PROGRAM);
    for (size_t i = 0; i < options->read_count; i++)
        s_allow (ruleset, options->read[i], READ_TREE, JAIL_EXIT_REFUSED);
    for (size_t i = 0; i < options->write_count; i++)
        s_allow (ruleset, options->write[i], WRITE_TREE | (abi >= 3 ? ACCESS_TRUNCATE : 0),
                 JAIL_EXIT_REFUSED);
}

/* A --hide path is a promise to the evaluator's author: we look, rather than reason about the rules. */
static void s_check_hidden (const jail_options_t *options)
{
    for (size_t i = 0; i < options->hide_count; i++) {
        int fd = open (options->hide[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0 || (errno != EACCES && errno != EPERM && errno != ENOENT))
            jail_die (JAIL_EXIT_REFUSED,
                      "%s should be hidden but could be read; it lies beneath a --read path",
                      options->hide[i]);
    }
}

int jail_landlock (const jail_options_t *options, const char *program)
{
    int abi = (int)syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi > options->landlock_abi_max)
        abi = options->landlock_abi_max;
    if (abi < 1)
        jail_die (JAIL_EXIT_REFUSED,
                  "this kernel has no Landlock, so candidate code can't be confined; run Linux 5.13 "
                  "or newer with \"landlock\" in its lsm= list");
    ruleset_t rules = {.handled_access_fs = s_handled (abi),
                       .handled_access_net = abi >= 4 ? ACCESS_TCP : 0,
                       .scoped = abi >= 6 ? SCOPES : 0};
    int ruleset = (int)syscall (SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (ruleset < 0)
        jail_die (JAIL_EXIT_REFUSED, "cannot make a Landlock domain: %s", strerror (errno));
    s_allow_all (ruleset, options, program, abi);
    if (syscall (SYS_landlock_restrict_self, ruleset, 0) != 0)
        jail_die (JAIL_EXIT_REFUSED, "cannot enter the Landlock domain: %s", strerror (errno));
    close (ruleset);
    s_check_hidden (options);
    return abi;
}
