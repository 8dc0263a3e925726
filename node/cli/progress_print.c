/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/progress_print.h"

#include <assert.h>
#include <string.h>

json_t *progress_ask (const cli_t *cli, const digest_t *id)
{
    assert (cli != NULL && id != NULL);
    char text[DIGEST_TEXT_BYTES];
    digest_text (id, text);
    return session_try (cli, "progress", json_pack ("{s:s}", "id", text));
}

static long long s_count (json_t *object, const char *key)
{
    return json_integer_value (json_object_get (object, key));
}

/* What is told of each thing that it may wait for; NULL: nothing but the figures. */
static const char *s_told (const char *waits_for)
{
    static const struct {
        const char *name, *text;
    } waits[] = {
        {"slot", "waits for a free slot"},
        {"run", "a run is under way"},
        {"members", "passed its test, waits until enough members are here to measure it again"},
        {"merge", "approved: it is merged onto what went live meanwhile, and tested again"},
        {"turn", "waits until the one before it is through"},
        {"resume", "waits until evolution goes on: `evomesh resume`"},
        {"breaker", "waits until the circuit breaker lets it through: `evomesh status` says why"},
    };
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
        if (strcmp (waits_for, waits[i].name) == 0)
            return waits[i].text;
    return NULL;
}

/* "; for 3 min more at most": whether it is worth to wait. */
static void s_print_left (json_t *progress)
{
    json_t *left = json_object_get (progress, "left_ms");
    long long seconds = json_integer_value (left) / 1000;
    if (json_is_integer (left) && seconds < 120)
        printf ("; for %lld s more at most", seconds);
    else if (json_is_integer (left))
        printf ("; for %lld %s more at most", seconds < 7200 ? seconds / 60 : seconds / 3600,
                seconds < 7200 ? "min" : "h");
}

void progress_print (json_t *progress, const digest_t *id)
{
    assert (json_is_object (progress) && id != NULL);
    const char *waits_for = json_string_value (json_object_get (progress, "waits_for"));
    if (waits_for == NULL)
        waits_for = "nothing";
    json_t *feedback = json_object_get (progress, "feedback"),
           *validation = json_object_get (progress, "validation");
    const char *told = s_told (waits_for);
    bool measures = strcmp (waits_for, "slot") == 0 || strcmp (waits_for, "run") == 0;
    printf ("  under way    ");
    if (measures && s_count (progress, "pairs_most") > 1)
        printf ("%s%lld of up to %lld pairs measured, ",
                json_is_true (json_object_get (progress, "second_trial"))
                    ? "better in a first trial; of a second "
                    : "",
                s_count (progress, "pairs"), s_count (progress, "pairs_most"));
    if (strcmp (waits_for, "votes") == 0)
        printf ("waits for feedback: of %s asked %lld approve, %lld want a look, %lld reject",
                text_counted ((uint64_t)s_count (feedback, "asked"), "member").text,
                s_count (feedback, "approve"), s_count (feedback, "review"), s_count (feedback, "reject"));
    else if (strcmp (waits_for, "validators") == 0)
        printf ("waits for validators: of %s %lld confirm, %lld don't, %lld declined; needed: %lld",
                text_counted ((uint64_t)s_count (validation, "asked"), "validator").text,
                s_count (validation, "confirmed"), s_count (validation, "refuted"),
                s_count (validation, "declined"), s_count (validation, "needed"));
    else if (strcmp (waits_for, "operator") == 0)
        printf ("waits for you: `evomesh approve %s`, or `evomesh reject %s`", output_digest (id).text,
                output_digest (id).text);
    else
        printf ("%s", told != NULL ? told : "goes on by itself");
    s_print_left (progress);
    putchar ('\n');
}
