/* SPDX-License-Identifier: MPL-2.0 */
/* Plays an evaluator: keeps a secret in memory, runs a candidate through the jail, and says what became of both.
 *   evaluator [JAIL OPTION]... -- PROGRAM [ARGUMENT]...
 * In the arguments "@pid" stands for its own process number, "@secret" for the secret's address. Descriptor 7 is a pipe
 * with a word in it, 8 a file of the private data; with option "--shared-output" the candidate gets our stdout. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char s_secret[] = "the secret is whole";
static volatile sig_atomic_t s_signals;

static void s_on_signal (int number)
{
    (void)number;
    s_signals++;
}

static char *s_word (char *word)
{
    char *text = NULL;
    if (strcmp (word, "@pid") == 0 && asprintf (&text, "%d", (int)getpid ()) > 0)
        return text;
    if (strcmp (word, "@secret") == 0 && asprintf (&text, "%p", (void *)s_secret) > 0)
        return text;
    return word;
}

static void s_open_descriptors (void)
{
    int ends[2];
    if (pipe (ends) != 0 || write (ends[1], "named", 5) != 5)
        exit (9);
    dup2 (ends[0], 7);
    close (ends[0]);
    close (ends[1]);
    int private = open ("/private/seed", O_RDONLY);
    if (private >= 0 && private != 8) {
        dup2 (private, 8);
        close (private);
    }
}

int main (int argc, char **argv)
{
    char *words[64] = {(char *)"/evomesh/jail"};
    size_t count = 1;
    int shared = 0, ends[2], status;
    for (int i = 1; i < argc && count < 63; i++)
        if (strcmp (argv[i], "--shared-output") == 0)
            shared = 1;
        else
            words[count++] = s_word (argv[i]);
    for (int number = 1; number < NSIG; number++)
        signal (number, s_on_signal);
    signal (SIGCHLD, SIG_DFL);
    setenv ("SEED", "secret", 1);
    s_open_descriptors ();
    if (pipe (ends) != 0)
        return 9;
    pid_t pid = fork ();
    if (pid == 0) {
        if (!shared)
            dup2 (ends[1], 1);
        close (ends[0]);
        close (ends[1]);
        execv (words[0], words);
        _exit (9);
    }
    close (ends[1]);
    char output[8192];
    size_t size = 0;
    for (ssize_t got; (got = read (ends[0], output + size, sizeof output - 1 - size)) != 0;)
        if (got > 0)
            size += (size_t)got;
        else if (errno != EINTR)
            break;
    output[size] = '\0';
    while (waitpid (pid, &status, 0) < 0 && errno == EINTR) {
    }
    printf ("%s %d; %d signals; %s\n%s", WIFEXITED (status) ? "exit" : "signal",
            WIFEXITED (status) ? WEXITSTATUS (status) : WTERMSIG (status), (int)s_signals, s_secret, output);
    return 0;
}
