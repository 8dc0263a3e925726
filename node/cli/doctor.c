/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh doctor: what this machine has and lacks, found by trying; each lack with its cause and remedy. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/cli/commands.h"
#include "node/cli/session.h"
#include "node/io/sandbox.h"

#define DESCRIPTORS_MIN 256                 /* a node with a few peers: three a link, and its files */
#define MEMLOCK_MIN     (64 * 1024)         /* the keys and libsodium's guard pages */
#define DISK_MIN        (256 * 1024 * 1024) /* the database and a few releases */

typedef enum { FINDING_OK, FINDING_WARNING, FINDING_FATAL } finding_t;

typedef struct {
    const cli_t *cli;
    json_t *list;
    bool fatal;
} report_t;

/* Notes one check. `remedy` is "" where all is well. */
static void s_note (report_t *report, const char *check, finding_t finding, const char *what,
                    const char *remedy)
{
    assert ((remedy[0] == '\0') == (finding == FINDING_OK));
    static const char *const names[] = {"ok", "warning", "fatal"};
    static const output_style_t styles[] = {OUTPUT_GREEN, OUTPUT_YELLOW, OUTPUT_RED};
    report->fatal |= finding == FINDING_FATAL;
    json_array_append_new (report->list, json_pack ("{s:s, s:s, s:s, s:s}", "check", check, "result",
                                                    names[finding], "what", what, "remedy", remedy));
    if (report->cli->json)
        return;
    printf ("%s%-8s%s %-12s %s\n", output_style (report->cli, styles[finding]), names[finding],
            output_style (report->cli, OUTPUT_PLAIN), check, what);
    if (remedy[0] != '\0')
        printf ("%22s%s\n", "", remedy);
}

static void s_sandbox (report_t *report)
{
    sandbox_lack_t lacks[SANDBOX_LACKS_MAX];
    size_t count = 0;
    sandbox_probe (lacks, &count);
    for (size_t i = 0; i < count; i++)
        s_note (report, "sandbox", lacks[i].fatal ? FINDING_FATAL : FINDING_WARNING, lacks[i].what,
                lacks[i].remedy);
    if (count == 0)
        s_note (report, "sandbox", FINDING_OK, "bubblewrap confines what it runs, and limits hold", "");
}

/* Our own programs that run inside the sandbox. */
static void s_helpers (report_t *report)
{
    static const char *const names[] = {"jail", "tune", "llm", "python-evaluator"};
    char path[CLI_PATH_BYTES + 64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf (path, sizeof path, "%s/libexec/evomesh/%s", report->cli->prefix, names[i]);
        if (access (path, X_OK) != 0) {
            char what[CLI_PATH_BYTES + 128];
            snprintf (what, sizeof what, "%s: %s", path, strerror (errno));
            s_note (report, "helpers", FINDING_FATAL, what,
                    "build or install evomesh again: its helpers belong there");
            return;
        }
    }
    s_note (report, "helpers", FINDING_OK, "jail, tune, llm and python-evaluator are in place", "");
}

/* A C compiler is what most agents' evaluators call; not every one does. */
static void s_compiler (report_t *report)
{
    pid_t child = fork ();
    if (child == 0) {
        int nowhere = open ("/dev/null", O_RDWR | O_CLOEXEC);
        dup2 (nowhere, STDOUT_FILENO);
        dup2 (nowhere, STDERR_FILENO);
        execlp ("cc", "cc", "--version", (char *)NULL);
        _exit (127);
    }
    int status = 0;
    while (child > 0 && waitpid (child, &status, 0) < 0 && errno == EINTR)
        ;
    if (child > 0 && WIFEXITED (status) && WEXITSTATUS (status) == 0)
        s_note (report, "compiler", FINDING_OK, "cc is there", "");
    else
        s_note (report, "compiler", FINDING_WARNING, "cc can't be run: agents that compile C won't work",
                "apt-get install gcc libc6-dev");
}

/* A TCP port on loopback that can be bound. */
static void s_ports (report_t *report)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    int socket_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = socket_fd < 0 ? -1 : bind (socket_fd, (struct sockaddr *)&address, sizeof address);
    if (rc == 0)
        rc = listen (socket_fd, 1);
    int why = errno;
    if (socket_fd >= 0)
        close (socket_fd);
    if (rc == 0) {
        s_note (report, "ports", FINDING_OK, "TCP ports can be bound", "");
        return;
    }
    char what[128];
    snprintf (what, sizeof what, "no TCP port can be bound on 127.0.0.1: %s", strerror (why));
    s_note (report, "ports", FINDING_FATAL, what, "bring the loopback interface up: ip link set lo up");
}

static void s_limits (report_t *report)
{
    struct rlimit limit;
    char what[128];
    getrlimit (RLIMIT_NOFILE, &limit);
    snprintf (what, sizeof what, "%llu open files allowed", (unsigned long long)limit.rlim_cur);
    bool few = limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < DESCRIPTORS_MIN;
    s_note (report, "files", few ? FINDING_FATAL : FINDING_OK, what,
            few ? "raise it: ulimit -n 4096 (LimitNOFILE= in a service)" : "");
    getrlimit (RLIMIT_MEMLOCK, &limit);
    bool small = limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < MEMLOCK_MIN;
    snprintf (what, sizeof what, "%llu KiB of memory may be locked%s",
              (unsigned long long)(limit.rlim_cur / 1024), small ? ": keys could reach the swap" : "");
    if (limit.rlim_cur == RLIM_INFINITY)
        snprintf (what, sizeof what, "any amount of memory may be locked");
    s_note (report, "memlock", small ? FINDING_WARNING : FINDING_OK, what,
            small ? "raise it: ulimit -l 1024 (LimitMEMLOCK= in a service)" : "");
}

/* The disk below the data directory, if that is there. */
static void s_disk (report_t *report)
{
    struct statvfs disk;
    char what[CLI_PATH_BYTES + 64];
    if (statvfs (report->cli->directory, &disk) != 0)
        return;
    unsigned long long free_bytes = (unsigned long long)disk.f_bavail * disk.f_frsize;
    snprintf (what, sizeof what, "%llu MiB free in %s", free_bytes / (1024 * 1024), report->cli->directory);
    bool full = free_bytes < DISK_MIN;
    s_note (report, "disk", full ? FINDING_WARNING : FINDING_OK, what,
            full ? "make room: a full disk stops evolution (nothing is lost)" : "");
}

static int s_run (cli_t *cli)
{
    report_t report = {.cli = cli, .list = json_array ()};
    s_sandbox (&report);
    s_helpers (&report);
    s_compiler (&report);
    s_ports (&report);
    s_limits (&report);
    s_disk (&report);
    int rc = report.fatal ? CLI_FAILED : CLI_DONE;
    if (cli->json) {
        int printed = output_json (json_pack ("{s:b, s:o}", "fit", !report.fatal, "checks", report.list));
        return printed == CLI_DONE ? rc : printed;
    }
    puts (report.fatal ? "This machine can't run a node until what is fatal is mended."
                       : "This machine is fit.");
    json_decref (report.list);
    return rc;
}

const cli_command_t doctor_command = {
    .name = "doctor",
    .summary = "try what a node needs of this machine: sandbox, compiler, ports, limits",
    .operands = "",
    .json = true,
    .details = "Each lack is told with its cause and its remedy. Exit 1 if a node could not run here.",
    .example = "  evomesh doctor",
    .run = s_run,
};
