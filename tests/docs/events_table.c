/* SPDX-License-Identifier: MPL-2.0 */
/* The table of docs/EVENTS.md, made of the catalogue of event types. */
#include "evolution/improvement.h"
#include "tests/docs/generated.h"

static void s_put_events (buffer_t *out)
{
    generated_put (out, "| type | |\n|---|---|\n");
    for (int i = TYPE_NONE + 1; i < TYPE_COUNT; i++)
        generated_put (out, "| `%s` | %s |\n", event_type_name ((event_type_t)i),
                       event_type_text ((event_type_t)i));
}

static const section_t s_sections[] = {{"<!-- events:begin -->\n", "<!-- events:end -->\n", s_put_events}};

int main (int argc, char **argv)
{
    return generated_main (argc, argv, s_sections, sizeof s_sections / sizeof s_sections[0]);
}
