/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/check_complaint.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* --- what it said --- */

void check_complaint (const char *detail, char text[CHECK_COMPLAINT_BYTES])
{
    assert (detail != NULL && text != NULL);
    size_t first = strcspn (detail, "\n"), lines = 0, left_out;
    for (const char *at = detail + first; *at != '\0'; at++)
        lines += *at == '\n';
    const char *shown = detail + first;
    left_out = lines > CHECK_COMPLAINT_LINES ? lines - CHECK_COMPLAINT_LINES : 0;
    for (size_t i = 0; i < left_out; i++) {
        shown = strchr (shown + 1, '\n');
        assert (shown != NULL);
    }
    char between[64] = "";
    if (left_out > 0)
        (void)snprintf (between, sizeof between, "\n… (%zu lines left out)", left_out);
    (void)snprintf (text, CHECK_COMPLAINT_BYTES, "%.*s%s%s", (int)first, detail, between, shown);
}

/* --- what to mend --- */

/* Does the sandbox have that program? Of the machine it shows /usr alone (with /bin and /sbin in it), and looks in /usr/bin. */
static bool s_is_program (const char *name)
{
    static const char *const shown[] = {"/usr/", "/bin/", "/sbin/"};
    char path[PATH_BYTES];
    if (strchr (name, '/') == NULL)
        return snprintf (path, sizeof path, "/usr/bin/%s", name) < (int)sizeof path &&
               access (path, X_OK) == 0;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        if (strncmp (name, shown[i], strlen (shown[i])) == 0)
            return access (name, X_OK) == 0;
    return name[0] != '/' || strncmp (name, "/agent/", 7) == 0 || strncmp (name, "/private/", 9) == 0;
}

/* The first line of the file, without its end; "" if it can't be read. */
static void s_first_line (const char *path, char line[256])
{
    FILE *file = fopen (path, "rb");
    line[0] = '\0';
    if (file != NULL) {
        if (fgets (line, 256, file) == NULL)
            line[0] = '\0';
        fclose (file);
    }
    line[strcspn (line, "\n")] = '\0';
}

/* The interpreter that a "#!" line names, behind `/usr/bin/env` what that is to find; NULL if it names none. */
static char *s_interpreter (char *line)
{
    if (strncmp (line, "#!", 2) != 0)
        return NULL;
    char *rest = NULL, *word = strtok_r (line + 2, " \t", &rest);
    bool is_env = word != NULL && strlen (word) >= 4 && strcmp (word + strlen (word) - 4, "/env") == 0;
    while (is_env && (word = strtok_r (NULL, " \t", &rest)) != NULL &&
           (word[0] == '-' || strchr (word, '=') != NULL)) /* options of env, and what it sets */
        ;
    return word;
}

static void s_look_at_first_line (const char *path, char hint[CHECK_HINT_BYTES])
{
    char line[256];
    s_first_line (path, line);
    size_t size = strlen (line);
    if (strncmp (line, "#!", 2) == 0 && line[size - 1] == '\r') {
        (void)snprintf (
            hint, CHECK_HINT_BYTES,
            "\nThe lines of %.400s end as on Windows, so its interpreter isn't found: save it with "
            "plain line ends (`sed -i 's/\\r$//' %.400s`).",
            path, path);
        return;
    }
    const char *interpreter = s_interpreter (line);
    if (interpreter != NULL && !s_is_program (interpreter))
        (void)snprintf (hint, CHECK_HINT_BYTES,
                        "\nThe first line of %.400s asks for %.100s, which the sandbox doesn't have (of this "
                        "machine it shows "
                        "/usr, and PATH is /usr/bin): install that there, or name another interpreter.",
                        path, interpreter);
}

void check_hint (const char *directory, const char *program, char hint[CHECK_HINT_BYTES])
{
    assert (directory != NULL && program != NULL && hint != NULL);
    char path[PATH_BYTES];
    struct stat status;
    hint[0] = '\0';
    if (strchr (program, '/') == NULL || program[0] == '/') {
        if (!s_is_program (program))
            (void)snprintf (hint, CHECK_HINT_BYTES,
                            "\n%.400s, the first word of evaluator.command, is no program that the sandbox "
                            "has (of this machine "
                            "it shows /usr, and PATH is /usr/bin): install it there; a file of the agent is "
                            "named as ./FILE.",
                            program);
        return;
    }
    const char *name = strncmp (program, "./", 2) == 0 ? program + 2 : program;
    if (snprintf (path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path ||
        stat (path, &status) != 0)
        return; /* what an agent must have is looked at before it runs */
    if ((status.st_mode & S_IXUSR) == 0)
        (void)snprintf (hint, CHECK_HINT_BYTES, "\n%.400s is not executable: `chmod +x %.400s`.", path, path);
    else
        s_look_at_first_line (path, hint);
}
