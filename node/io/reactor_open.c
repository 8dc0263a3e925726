/* SPDX-License-Identifier: MPL-2.0 */
/* What the reactor stands on: opened in order, closed in the reverse one. */
#define _GNU_SOURCE /* czmq.h */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/io/file.h"
#include "node/io/reactor_internal.h"

#define CONFIG_BYTES_MAX (1024 * 1024)

int reactor_read_config (const char *directory, config_t *config, problem_t *problem)
{
    assert (config != NULL);
    char path[DIRECTORY_PATH_MAX];
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    config_defaults (config, cores < 1 ? 1 : (unsigned)cores);
    if (file_join (path, sizeof path, directory, CONFIG_FILE, problem) != 0)
        return -1;
    int file = open (path, O_RDONLY | O_CLOEXEC);
    if (file == -1)
        return problem_set (problem, "%s: %s; `evomesh init` makes it", path, strerror (errno));
    size_t size;
    uint8_t *text = file_read_all (file, CONFIG_BYTES_MAX, &size);
    int error = errno;
    close (file);
    if (text == NULL)
        return problem_set (problem, "%s: %s", path, strerror (error));
    int rc = config_parse (path, (const char *)text, size, config, problem);
    free (text);
    struct stat status;
    if (rc == 0 && config->private_data[0] != '\0' &&
        (stat (config->private_data, &status) != 0 || !S_ISDIR (status.st_mode)))
        return problem_set (problem, "%s: private: found \"%.200s\", which is no directory, expected one",
                            path, config->private_data);
    return rc;
}

/* Reads the pinned files' tree, checks it against the charter, and reads the manifest that is among them. */
static int s_open_agent (reactor_t *self, problem_t *problem)
{
    const digest_t *id = &self->joined->group.evaluator;
    digest_t evaluator;
    size_t size;
    uint8_t *bytes = store_content_get (self->store, id, &size);
    if (bytes == NULL)
        return store_damaged (self->store, "the group's evaluator is not in it", problem);
    int rc = tree_decode (bytes, size, &self->pinned, &evaluator);
    free (bytes);
    if (rc != 0 || !digest_is_zero (&evaluator))
        return store_damaged (self->store, "the group's evaluator in it is no list of files", problem);
    const tree_file_t *manifest = tree_find (&self->pinned, AGENT_MANIFEST);
    if (manifest == NULL || (bytes = store_content_get (self->store, &manifest->content, &size)) == NULL)
        return store_damaged (self->store, "the group's " AGENT_MANIFEST " is not in it", problem);
    rc = agent_parse (AGENT_MANIFEST, (const char *)bytes, size, &self->agent, problem);
    free (bytes);
    return rc;
}

static void s_job_done (void *context, const event_t *event)
{
    reactor_t *self = context;
    turn_event (self->turn, event);
    reactor_wake (self);
}

static int s_open_jobs (reactor_t *self, problem_t *problem)
{
    assert (self->options.helpers != NULL);
    self->sandbox =
        sandbox_new (self->loop, self->config.sandbox == SANDBOX_MODE_NONE, self->options.helpers, problem);
    if (self->sandbox == NULL)
        return -1;
    self->workshop = (workshop_t){.loop = self->loop,
                                  .store = self->store,
                                  .sandbox = self->sandbox,
                                  .data_directory = directory_path (self->directory),
                                  .work_directory = directory_work (self->directory),
                                  .agent = &self->agent,
                                  .config = &self->config,
                                  .pinned = &self->pinned,
                                  .evaluator = self->joined->group.evaluator,
                                  .start = self->joined->group.start};
    self->executor = executor_new (&self->workshop, s_job_done, self);
    return self->executor == NULL ? problem_set (problem, "%s", error_text (ERROR_MEMORY)) : 0;
}

/* The archive is for people; a node works without it. */
static void s_open_archive (reactor_t *self)
{
    problem_t problem;
    self->archivist = archivist_new (&self->workshop, &self->joined->group.start, &problem);
    self->archive_behind = true;
    if (self->archivist == NULL)
        log_line (LEVEL_WARNING, "archive_unavailable", "problem=\"%s\"", problem.text);
}

static int s_open_links (reactor_t *self, problem_t *problem)
{
    bus_handler_t handler = {reactor_wake_up, reactor_received, reactor_refused, self};
    self->bus =
        bus_new (self->loop, keystore_curve (self->keystore), &self->joined->group.group, &handler, problem);
    return self->bus == NULL ? -1 : reactor_bind (self, problem);
}

/* How many of something are kept; 0 in node.yaml: all. */
static uint64_t s_kept (uint64_t configured)
{
    return configured > 0 ? configured : UINT64_MAX;
}

int reactor_open (reactor_t *self, const char *directory, problem_t *problem)
{
    assert (self != NULL && directory != NULL);
    self->directory = directory_open (directory, false, problem);
    if (self->directory == NULL)
        return -1;
    const char *path = directory_path (self->directory);
    if (reactor_read_config (path, &self->config, problem) != 0)
        return -1;
    log_open (self->options.log_level, self->config.name);
    self->keystore = keystore_load (path, self->options.passphrase_file, problem);
    if (self->keystore == NULL)
        return -1;
    self->store = store_open (path, false, false, problem);
    if (self->store == NULL || membership_load (self->store, &self->joined, problem) != 0 ||
        store_check_begun (self->store, problem) != 0 || s_open_agent (self, problem) != 0)
        return -1;
    self->loop = zloop_new ();
    assert (self->loop != NULL);
    zloop_set_nonstop (self->loop, true);
    ports_t ports = reactor_ports (self);
    self->turn = turn_new (keystore_identity (self->keystore), &ports);
    if (self->turn == NULL)
        return problem_set (problem, "%s", error_text (ERROR_MEMORY));
    turn_retain (self->turn, s_kept (self->config.retention.journal), s_kept (self->config.retention.events));
    if (s_open_jobs (self, problem) != 0)
        return -1;
    s_open_archive (self);
    self->control = control_new (path, problem);
    return self->control == NULL ? -1 : s_open_links (self, problem);
}

void reactor_close (reactor_t *self)
{
    assert (self != NULL);
    sandbox_destroy (&self->sandbox); /* kills every run; none of them calls back */
    executor_destroy (&self->executor);
    archivist_destroy (&self->archivist);
    bus_destroy (&self->bus);
    control_destroy (&self->control);
    turn_destroy (&self->turn);
    zloop_destroy (&self->loop);
    tree_clear (&self->pinned);
    membership_destroy (&self->joined);
    store_close (&self->store);
    keystore_destroy (&self->keystore);
    directory_close (&self->directory);
}
