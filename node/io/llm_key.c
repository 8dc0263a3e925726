/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* unsetenv, fstat */
#include "node/io/llm_key.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define KEY_BYTES_MIN \
    8 /* a shorter one could not be told from common words when it is blanked out of texts */

static const llm_place_t *s_place (const llm_config_t *config, size_t i)
{
    assert (i <= config->model_count);
    return i == 0 ? &config->place : &config->models[i - 1].place;
}

void llm_keys_take (llm_keys_t *self, const llm_config_t *config)
{
    memset (self, 0, sizeof *self);
    for (size_t i = 0; i <= config->model_count; i++) {
        const char *name = s_place (config, i)->key_variable, *value = name[0] != '\0' ? getenv (name) : NULL;
        if (value != NULL && strlen (value) <= LLM_KEY_BYTES)
            strcpy (self->variables[i], value);
    }
    for (size_t i = 0; i <= config->model_count; i++)
        if (s_place (config, i)->key_variable[0] != '\0')
            unsetenv (s_place (config, i)->key_variable);
}

void llm_keys_clear (llm_keys_t *self)
{
    sodium_memzero (self, sizeof *self);
}

static int s_read_file (const char *path, char key[LLM_KEY_BYTES + 1], problem_t *problem)
{
    struct stat status;
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat (fd, &status) != 0) {
        problem_set (problem, "%s: %s", path, strerror (errno));
    } else if (!S_ISREG (status.st_mode) || (status.st_mode & 077) != 0) {
        problem_set (problem,
                     "%s: found a key that others may read, expected a file of mode 0600 (chmod 600)", path);
    } else {
        ssize_t size = read (fd, key, LLM_KEY_BYTES);
        close (fd);
        if (size < 0)
            return problem_set (problem, "%s: %s", path, strerror (errno));
        assert (size <= LLM_KEY_BYTES);
        key[size] = '\0';
        return 0;
    }
    if (fd >= 0)
        close (fd);
    return -1;
}

/* Cuts the line end off, and checks that what is left can be a key. */
static int s_check (char *key, const char *where, problem_t *problem)
{
    size_t length = strlen (key);
    while (length > 0 && strchr (" \t\r\n", key[length - 1]) != NULL)
        key[--length] = '\0';
    bool printable = length >= KEY_BYTES_MIN;
    for (size_t i = 0; i < length; i++)
        printable = printable && key[i] > ' ' && key[i] <= '~';
    if (printable)
        return 0;
    sodium_memzero (key, length);
    return problem_set (problem, "%s: found no key, expected %d to %d printable characters on one line",
                        where, KEY_BYTES_MIN, LLM_KEY_BYTES);
}

int llm_keys_read (const llm_keys_t *self, const llm_config_t *config, const llm_model_t *model,
                   char key[LLM_KEY_BYTES + 1], problem_t *problem)
{
    const llm_place_t *place = llm_config_place (config, model);
    size_t i = place == &config->place ? 0 : (size_t)(model - config->models) + 1;
    assert (i <= config->model_count);
    key[0] = '\0';
    if (place->key_file[0] != '\0')
        return s_read_file (place->key_file, key, problem) == 0 ? s_check (key, place->key_file, problem)
                                                                : -1;
    if (place->key_variable[0] == '\0')
        return 0;
    strcpy (key, self->variables[i]);
    return s_check (key, place->key_variable, problem);
}
