/* SPDX-License-Identifier: MPL-2.0 */
/* libgit2's start, end and errors, for merges, patches and the archive. */
#include "node/io/workspace_internal.h"

#include "node/io/file.h"

#include <errno.h>

#include <git2.h>

#define CACHE_BYTES_MAX (1024 * 1024)
#define OPEN_PACKS_MAX  16

int workspace_git_start (problem_t *problem)
{
    static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL};
    int started = git_libgit2_init ();
    int rc = started < 0 ? started : 0;
    if (started == 1) { /* the first since the last end: its options are the defaults */
        for (size_t i = 0; i < sizeof levels / sizeof *levels && rc == 0; i++)
            rc = git_libgit2_opts (GIT_OPT_SET_SEARCH_PATH, levels[i], "");
        if (rc == 0)
            rc =
                git_libgit2_opts (GIT_OPT_SET_OWNER_VALIDATION, 0); /* the data directory's mode is checked */
        if (rc == 0)
            rc = git_libgit2_opts (GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
        if (rc == 0) /* an idle node stays small */
            rc = git_libgit2_opts (GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_BYTES_MAX);
        if (rc == 0)
            rc = git_libgit2_opts (GIT_OPT_SET_MWINDOW_FILE_LIMIT, (size_t)OPEN_PACKS_MAX);
    }
    if (rc == 0)
        return 0;
    workspace_git_fail ("libgit2 can't be started", problem);
    if (started > 0)
        git_libgit2_shutdown ();
    return ERROR_IO;
}

void workspace_git_end (void)
{
    git_libgit2_shutdown ();
}

int workspace_git_fail (const char *doing, problem_t *problem)
{
    int system = errno;
    const git_error *error = git_error_last ();
    problem_set (problem, "%s: %s", doing, error != NULL ? error->message : "no reason given");
    if (error != NULL && error->klass == GIT_ERROR_NOMEMORY)
        return ERROR_MEMORY;
    return error != NULL && error->klass == GIT_ERROR_OS ? file_error (system) : ERROR_IO;
}
