/* SPDX-License-Identifier: MPL-2.0 */
/* The log, read as it stands on stderr. */
#include "node/io/log.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/lib/suite.h"

static const pubkey_t s_self = {{1}}, s_peer = {{2}};

/* What `event` puts on stderr, without the time that it begins with. */
static const char *s_logged (const notify_t *event, char *text, size_t size)
{
    FILE *file = tmpfile ();
    ck_assert_ptr_nonnull (file);
    int before = dup (STDERR_FILENO);
    dup2 (fileno (file), STDERR_FILENO);
    log_event (event, &s_self);
    dup2 (before, STDERR_FILENO);
    close (before);
    rewind (file);
    size_t read = fread (text, 1, size - 1, file);
    text[read] = '\0';
    fclose (file);
    char *level = strstr (text, "level=");
    return level ? level : text;
}

START_TEST (an_event_is_one_line_with_all_that_it_tells)
{
    char text[1024];
    const entry_t metadata[] = {{text_of ("reason"), text_of ("worse")},
                                {text_of ("description"), text_of ("b.c:1 \"0\" -> 1\nlevel=error")}};
    const notify_t event = {.type = text_of ("improvement_rejected"),
                            .agent_id = s_self,
                            .modification_id = {{7}},
                            .performance_improvement = -0.00391,
                            .error_message = text_of ("worse on an objective"),
                            .metadata = {metadata, 2}};
    log_open (LEVEL_INFO, "alpha");
    ck_assert_str_eq (s_logged (&event, text, sizeof text),
                      "level=info node=alpha event=improvement_rejected modification_id=a4aaaaaa "
                      "improvement=-0.39% reason=worse description=\"b.c:1 '0' -> 1 level=error\" "
                      "error=\"worse on an objective\"\n");
}
END_TEST

START_TEST (what_an_event_does_not_have_is_left_out)
{
    char text[1024];
    const notify_t event = {
        .type = text_of ("breaker_closed"), .agent_id = s_self, .performance_improvement = NAN};
    log_open (LEVEL_INFO, NULL);
    ck_assert_str_eq (s_logged (&event, text, sizeof text), "level=info event=breaker_closed\n");
}
END_TEST

START_TEST (what_peers_tell_of_themselves_is_for_debugging)
{
    char text[1024];
    const notify_t event = {
        .type = text_of ("breaker_closed"), .agent_id = s_peer, .performance_improvement = NAN};
    log_open (LEVEL_INFO, NULL);
    ck_assert_str_eq (s_logged (&event, text, sizeof text), "");
    log_open (LEVEL_DEBUG, NULL);
    ck_assert_str_eq (s_logged (&event, text, sizeof text),
                      "level=debug event=breaker_closed agent_id=aiaaaaaa\n");
}
END_TEST

SUITE_MAIN ("log", an_event_is_one_line_with_all_that_it_tells, what_an_event_does_not_have_is_left_out,
            what_peers_tell_of_themselves_is_for_debugging)
