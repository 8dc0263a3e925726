/* SPDX-License-Identifier: MPL-2.0 */
/* The evaluator of binpack.
 *
 *   evaluator SEED_FILE COMMAND…  packs the instances with the candidate that COMMAND runs; the result
 *   evaluator SEED_FILE --print   the instances, a line of sizes each, for tests and the owner of the seed
 *   evaluator --refuse FILE       a result that says "does not compile", with the end of FILE
 *
 * The instances come from a private seed that the candidate must not learn, and items are revealed one at a
 * time. The packings advance side by side, an item each a round: no packing's next item leaves this process
 * before its last one was placed, and as packings are independent, one says nothing about another. Side by
 * side they need 500 exchanges over the pipes instead of 50,000, which would cost more than what is to be
 * measured. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTANCES  100 /* as many as are cheap beside the compiler: few are learnt by heart */
#define ITEMS      500
#define ITEM_MIN   20
#define ITEM_MAX   100
#define CAPACITY   150
#define SECONDS    8 /* of wall time for the candidate, start to end */
#define ANSWER_FD  3
#define NO_NUMBER  0xffff
#define WORDS_MAX  60000
#define TAIL_BYTES 600

typedef struct {
    uint16_t items[ITEMS];
    uint16_t
        remaining[ITEMS];    /* in each open bin, in the order in which they were opened; then a new one's */
    uint16_t fitting[ITEMS]; /* indices of the bins that were offered for the current item */
    size_t offered;
    size_t bins;
} packing_t;

/* The jailed process, and our ends of its pipes. */
typedef struct {
    pid_t pid;
    int questions;
    int answers;
    int messages; /* its stderr */
} candidate_t;

static packing_t s_packings[INSTANCES];
static candidate_t s_candidate;
static volatile sig_atomic_t s_late;

/* --- endings --- */

/* Our own fault, or the machine's: no result. */
__attribute__ ((format (printf, 1, 2), noreturn)) static void s_fail (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    fprintf (stderr, "binpack: ");
    vfprintf (stderr, format, arguments);
    fprintf (stderr, "\n");
    exit (1);
}

/* Prints a text as JSON; what isn't ASCII comes from a compiler's quotes and is replaced. */
static void s_print_text (const char *text)
{
    putchar ('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf ("\\%c", *text);
        else if (*text == '\n')
            printf ("\\n");
        else
            putchar (*text >= 0x20 && *text < 0x7f ? *text : '?');
    }
    putchar ('"');
}

/* The candidate's fault: a result that says so. */
__attribute__ ((format (printf, 1, 2), noreturn)) static void s_invalid (const char *format, ...)
{
    char error[TAIL_BYTES + 200];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (error, sizeof error, format, arguments);
    if (s_candidate.pid > 0)
        kill (s_candidate.pid, SIGKILL);
    printf ("{\"valid\": false, \"error\": ");
    s_print_text (error);
    printf ("}\n");
    exit (0);
}

/* --- instances --- */

static uint32_t s_rotate (uint32_t value, int bits)
{
    return value << bits | value >> (32 - bits);
}

static void s_quarter (uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b, *d = s_rotate (*d ^ *a, 16);
    *c += *d, *b = s_rotate (*b ^ *c, 12);
    *a += *b, *d = s_rotate (*d ^ *a, 8);
    *c += *d, *b = s_rotate (*b ^ *c, 7);
}

/* ChaCha20 (RFC 8439): items that were seen don't tell those to come, as a simpler generator's would. */
static void s_chacha (const uint32_t key[8], uint32_t stream, uint32_t block, uint32_t out[16])
{
    uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, [12] = block, [13] = stream}, x[16];
    memcpy (in + 4, key, 32);
    memcpy (x, in, sizeof x);
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < 4; j++)
            s_quarter (x + j, x + 4 + j, x + 8 + j, x + 12 + j);
        for (int j = 0; j < 4; j++)
            s_quarter (x + j, x + 4 + (j + 1) % 4, x + 8 + (j + 2) % 4, x + 12 + (j + 3) % 4);
    }
    for (int i = 0; i < 16; i++)
        out[i] = x[i] + in[i];
}

/* Uniform sizes, without modulo bias. */
static void s_make (const uint32_t key[8], uint32_t instance, uint16_t items[ITEMS])
{
    const uint32_t kinds = ITEM_MAX - ITEM_MIN + 1, unbiased = UINT32_MAX / kinds * kinds;
    uint32_t block[16], count = 0;
    for (uint32_t i = 0; count < ITEMS; i++) {
        if (i % 16 == 0)
            s_chacha (key, instance, i / 16, block);
        if (block[i % 16] < unbiased)
            items[count++] = (uint16_t)(ITEM_MIN + block[i % 16] % kinds);
    }
}

/* Reads the seed: 1 to 64 hexadecimal digits, also with 0x in front. */
static void s_read_key (const char *path, uint32_t key[8])
{
    char text[128] = "";
    FILE *file = fopen (path, "r");
    if (file == NULL)
        s_fail ("%s: %s; put a secret number there: 16 or more hexadecimal digits", path, strerror (errno));
    size_t size = fread (text, 1, sizeof text - 1, file);
    fclose (file);
    while (size > 0 && strchr (" \t\r\n", text[size - 1]) != NULL)
        text[--size] = '\0';
    const char *digits = strncmp (text, "0x", 2) == 0 ? text + 2 : text;
    size_t count = strlen (digits);
    if (count < 1 || count > 64 || strspn (digits, "0123456789abcdefABCDEF") != count)
        s_fail ("%s: expected 1 to 64 hexadecimal digits", path);
    memset (key, 0, 32);
    for (size_t i = 0; i < count; i++) {
        uint32_t digit = (uint32_t)strtoul ((char[2]){digits[count - 1 - i], '\0'}, NULL, 16);
        key[i / 8] |= digit << (i % 8 * 4);
    }
}

static void s_make_all (const char *seed_path)
{
    uint32_t key[8];
    s_read_key (seed_path, key);
    for (uint32_t i = 0; i < INSTANCES; i++)
        s_make (key, i, s_packings[i].items);
}

/* Bins that no packing can do without. */
static size_t s_bound (const packing_t *packing)
{
    size_t sum = 0;
    for (size_t i = 0; i < ITEMS; i++)
        sum += packing->items[i];
    return (sum + CAPACITY - 1) / CAPACITY;
}

/* Names the instances: FNV-1a over all sizes. */
static uint64_t s_digest (void)
{
    uint64_t hash = UINT64_C (0xcbf29ce484222325);
    for (size_t i = 0; i < INSTANCES * (size_t)ITEMS; i++)
        hash = (hash ^ s_packings[i / ITEMS].items[i % ITEMS]) * UINT64_C (0x100000001b3);
    return hash;
}

/* --- the candidate's process --- */

static void s_on_alarm (int number)
{
    (void)number;
    s_late = 1;
    kill (s_candidate.pid, SIGKILL);
}

/* In the child: the pipes in their places, nothing else of ours but the command. */
__attribute__ ((noreturn)) static void s_become (const int question[2], const int answer[2],
                                                 const int message[2], char **command)
{
    int nowhere = open ("/dev/null", O_WRONLY);
    /* Out of the way first, so that no dup2 below closes what a later one needs. */
    int in = fcntl (question[0], F_DUPFD, 10), out = fcntl (answer[1], F_DUPFD, 10);
    int tail = fcntl (message[1], F_DUPFD, 10), sink = fcntl (nowhere, F_DUPFD, 10);
    if (dup2 (in, 0) < 0 || dup2 (sink, 1) < 0 || dup2 (tail, 2) < 0 || dup2 (out, ANSWER_FD) < 0)
        _exit (126);
    close_range (ANSWER_FD + 1, ~0u, 0);
    execv (command[0], command);
    _exit (127);
}

static void s_start (char **command)
{
    int question[2], answer[2], message[2];
    /* It may say as much as a pipe holds, and is neither held up by it nor believed. */
    if (pipe2 (question, O_CLOEXEC) != 0 || pipe2 (answer, O_CLOEXEC) != 0 ||
        pipe2 (message, O_CLOEXEC | O_NONBLOCK) != 0)
        s_fail ("pipe: %s", strerror (errno));
    s_candidate.pid = fork ();
    if (s_candidate.pid < 0)
        s_fail ("fork: %s", strerror (errno));
    if (s_candidate.pid == 0)
        s_become (question, answer, message, command);
    close (question[0]);
    close (answer[1]);
    close (message[1]);
    s_candidate.questions = question[1];
    s_candidate.answers = answer[0];
    s_candidate.messages = message[0];
    sigaction (SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    sigaction (SIGALRM, &(struct sigaction){.sa_handler = s_on_alarm},
               NULL); /* no SA_RESTART: it ends a read */
    alarm (SECONDS);
}

/* Passes the end of what the candidate said on to our stderr. */
static void s_pass_messages (void)
{
    static char text[65536];
    ssize_t size = read (s_candidate.messages, text, sizeof text);
    ssize_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    if (size > 0)
        fwrite (text + from, 1, (size_t)(size - from), stderr);
}

/* Waits for its end. Returns its processor time in nanoseconds, user and system. */
static double s_end (bool finished)
{
    int status = 0;
    struct rusage usage;
    close (s_candidate.questions);
    while (wait4 (s_candidate.pid, &status, 0, &usage) < 0)
        if (errno != EINTR)
            s_fail ("wait4: %s", strerror (errno));
    alarm (0);
    s_candidate.pid = 0;
    s_pass_messages ();
    if (s_late)
        s_invalid ("the candidate took longer than %d s", SECONDS);
    if (WIFSIGNALED (status))
        s_invalid ("the candidate was ended by signal %d (%s)", WTERMSIG (status),
                   strsignal (WTERMSIG (status)));
    if (WEXITSTATUS (status) == 126 || WEXITSTATUS (status) == 127)
        s_fail ("the candidate could not be started (exit code %d)", WEXITSTATUS (status));
    if (!finished || WEXITSTATUS (status) != 0)
        s_invalid ("the candidate ended %s, with exit code %d", finished ? "badly" : "before it had answered",
                   WEXITSTATUS (status));
    return 1e9 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e3 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void s_write (const uint16_t *words, size_t count)
{
    const char *bytes = (const char *)words;
    for (size_t left = count * sizeof *words; left > 0;) {
        ssize_t written = write (s_candidate.questions, bytes, left);
        if (written <= 0)
            s_end (false);
        bytes += written;
        left -= (size_t)written;
    }
}

static void s_read (uint16_t *words, size_t count)
{
    char *bytes = (char *)words;
    for (size_t left = count * sizeof *words; left > 0;) {
        ssize_t more = read (s_candidate.answers, bytes, left);
        if (more <= 0)
            s_end (false);
        bytes += more;
        left -= (size_t)more;
    }
}

/* --- packing --- */

/* Appends the question of one packing: item, bins that fit, what remains in each. The last is a new bin, which
 * always fits. Returns its words. */
static size_t s_ask (packing_t *packing, uint16_t item, uint16_t *words)
{
    packing->offered = 0;
    packing->remaining[packing->bins] = CAPACITY;
    for (size_t bin = 0; bin <= packing->bins; bin++) {
        if (packing->remaining[bin] < item)
            continue;
        words[2 + packing->offered] = packing->remaining[bin];
        packing->fitting[packing->offered++] = (uint16_t)bin;
    }
    words[0] = item;
    words[1] = (uint16_t)packing->offered;
    return 2 + packing->offered;
}

static void s_place (packing_t *packing, uint16_t item, uint16_t answer)
{
    if (answer == NO_NUMBER)
        s_invalid ("priority () returned a value that is not a number");
    if (answer >= packing->offered)
        s_invalid ("the candidate answered bin %u of %zu", answer, packing->offered);
    uint16_t bin = packing->fitting[answer];
    packing->remaining[bin] = (uint16_t)(packing->remaining[bin] - item);
    packing->bins += bin == packing->bins;
}

/* One item of each packing. */
static void s_round (size_t item)
{
    static uint16_t words[WORDS_MAX];
    uint16_t answers[INSTANCES];
    size_t used = 1;
    for (size_t i = 0; i < INSTANCES; i++)
        used += s_ask (&s_packings[i], s_packings[i].items[item], words + used);
    words[0] = (uint16_t)used;
    s_write (words, used);
    s_read (answers, INSTANCES);
    for (size_t i = 0; i < INSTANCES; i++)
        s_place (&s_packings[i], s_packings[i].items[item], answers[i]);
}

_Static_assert(1 + INSTANCES * (2 + ITEMS) <= WORDS_MAX && WORDS_MAX <= UINT16_MAX, "a question fits");

/* --- results --- */

static void s_print_result (double cpu_ns)
{
    double excess = 0;
    for (size_t i = 0; i < INSTANCES; i++) {
        size_t bound = s_bound (&s_packings[i]);
        excess += 100.0 * (double)(s_packings[i].bins - bound) / (double)bound;
    }
    printf ("{\"metrics\": {\"excess_bins\": %.12g, \"ns_per_item\": %.6g}, ", excess / INSTANCES,
            cpu_ns / (INSTANCES * ITEMS));
    printf ("\"artifacts\": {\"instances\": \"%016llx\", \"bins\": [", (unsigned long long)s_digest ());
    for (size_t i = 0; i < INSTANCES; i++)
        printf ("%s%zu", i > 0 ? ", " : "", s_packings[i].bins);
    printf ("], \"bounds\": [");
    for (size_t i = 0; i < INSTANCES; i++)
        printf ("%s%zu", i > 0 ? ", " : "", s_bound (&s_packings[i]));
    printf ("]}}\n");
}

static void s_print_instances (void)
{
    for (size_t i = 0; i < INSTANCES * (size_t)ITEMS; i++)
        printf ("%u%c", s_packings[i / ITEMS].items[i % ITEMS], i % ITEMS == ITEMS - 1 ? '\n' : ' ');
}

/* The compiler's complaints; their end tells most. */
__attribute__ ((noreturn)) static void s_refuse (const char *path)
{
    char tail[TAIL_BYTES + 1] = "";
    FILE *file = fopen (path, "r");
    if (file == NULL)
        s_fail ("%s: %s", path, strerror (errno));
    if (fseek (file, -TAIL_BYTES, SEEK_END) != 0)
        rewind (file);
    size_t size = fread (tail, 1, TAIL_BYTES, file);
    tail[size] = '\0';
    fclose (file);
    s_invalid ("priority.c does not compile: %s", tail);
}

int main (int argc, char **argv)
{
    if (argc == 3 && strcmp (argv[1], "--refuse") == 0)
        s_refuse (argv[2]);
    if (argc < 3)
        s_fail ("usage: evaluator SEED_FILE COMMAND... | SEED_FILE --print | --refuse FILE");
    s_make_all (argv[1]);
    if (strcmp (argv[2], "--print") == 0) {
        s_print_instances ();
        return 0;
    }
    s_start (argv + 2);
    for (size_t item = 0; item < ITEMS; item++)
        s_round (item);
    s_print_result (s_end (true));
    return 0;
}
