/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/output.h"

#include <assert.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "node/io/clock.h"

/* Fifteen digits show a decimal as it was written: 0.3, where seventeen say 0.29999999999999999. */
#define JSON_FLAGS (JSON_ENSURE_ASCII | JSON_REAL_PRECISION (15))

static int s_dump (json_t *value, size_t flags)
{
    if (value == NULL)
        return cli_fail ("%s", error_text (ERROR_MEMORY));
    int rc = json_dumpf (value, stdout, flags | JSON_FLAGS);
    json_decref (value);
    if (rc == 0 && putchar ('\n') != EOF && fflush (stdout) == 0)
        return CLI_DONE;
    return ferror (stdout) ? CLI_FAILED /* told at the end */ : cli_fail ("%s", error_text (ERROR_MEMORY));
}

int output_json (json_t *value)
{
    return s_dump (value, JSON_INDENT (2));
}

int output_json_line (json_t *value)
{
    return s_dump (value, JSON_COMPACT);
}

char *output_json_text (const json_t *value)
{
    assert (value != NULL);
    return json_dumps (value, JSON_INDENT (2) | JSON_FLAGS);
}

json_t *output_record (const record_t *record, const void *value)
{
    assert (record != NULL);
    buffer_t text = {0};
    record_print_json (record, value, &text);
    json_t *json = text.failed ? NULL : json_loadb ((const char *)text.data, text.size, 0, NULL);
    buffer_clear (&text);
    return json;
}

static char s_in_line (char c)
{
    return c == '|' || c == '\n' || c == '\t' ? ' ' : c;
}

output_text_t output_text (text_t text)
{
    assert (text.data != NULL || text.size == 0);
    output_text_t whole;
    text_copy (text, whole.text, sizeof whole.text);
    for (char *c = whole.text; *c != '\0'; c++)
        *c = s_in_line (*c);
    return whole;
}

/* The bytes of the character or the style that `at` begins with; `*width` says how many columns it takes. */
static size_t s_step (const char *at, size_t *width)
{
    size_t size = 1;
    *width = at[0] != '\033';
    if (*width == 0)
        return strcspn (at, "m") + (strchr (at, 'm') != NULL);
    while (((unsigned char)at[size] & 0xc0) == 0x80)
        size++;
    return size;
}

void output_line (const cli_t *cli, const char *line)
{
    assert (cli != NULL && line != NULL);
    size_t size = 0, fits = 0, used = 0, width; /* fits: bytes that leave a column for the "…" */
    while (line[size] != '\0' && (cli->width == 0 || used <= cli->width)) {
        size += s_step (line + size, &width);
        used += width;
        if (used < cli->width)
            fits = size;
    }
    if (cli->width == 0 || used <= cli->width)
        puts (line);
    else
        printf ("%.*s…%s\n", (int)fits, line, output_style (cli, OUTPUT_PLAIN));
}

output_cell_t output_cell (text_t text, size_t width)
{
    assert (width > 0 && (text.data != NULL || text.size == 0));
    output_cell_t cell;
    size_t used = 0, characters = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool start = ((unsigned char)text.data[i] & 0xc0) != 0x80;
        bool full = used >= OUTPUT_CELL_BYTES - 8;
        if (start && (full || characters == width)) {
            used += (size_t)snprintf (cell.text + used, sizeof cell.text - used, "…");
            break;
        }
        characters += start;
        cell.text[used++] = s_in_line (text.data[i]);
    }
    assert (used < OUTPUT_CELL_BYTES);
    cell.text[used] = '\0';
    return cell;
}

bool output_list (output_cell_t *cell, const char *format, ...)
{
    assert (cell != NULL && format != NULL);
    static const char cut[] = ", …";
    char part[OUTPUT_CELL_BYTES];
    size_t used = strlen (cell->text), room = sizeof cell->text - used - strlen (cut);
    if (used >= strlen ("…") && strcmp (cell->text + used - strlen ("…"), "…") == 0)
        return false;
    va_list arguments;
    va_start (arguments, format);
    int size = vsnprintf (part, sizeof part, format, arguments);
    va_end (arguments);
    assert (size >= 0 && used + strlen (cut) < sizeof cell->text);
    const char *between = used > 0 ? ", " : "";
    bool fits = strlen (between) + (size_t)size < room;
    strcpy (cell->text + used, between);
    strcpy (cell->text + used + strlen (between), fits ? part : "…");
    return fits;
}

output_cell_t output_time (uint64_t time_ms)
{
    output_cell_t cell = {"-"};
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    if (time_ms != 0 && gmtime_r (&seconds, &parts) != NULL)
        strftime (cell.text, sizeof cell.text, "%Y-%m-%d %H:%M:%S", &parts);
    return cell;
}

output_cell_t output_ago (uint64_t time_ms)
{
    output_cell_t cell = {"-"};
    uint64_t now_ms = clock_wall_ms ();
    uint64_t seconds = now_ms > time_ms ? (now_ms - time_ms) / 1000 : 0;
    if (time_ms == 0)
        return cell;
    const char *unit = seconds < 120 ? "s" : seconds < 7200 ? "min" : seconds < 172800 ? "h" : "days";
    uint64_t count = seconds < 120      ? seconds
                     : seconds < 7200   ? seconds / 60
                     : seconds < 172800 ? seconds / 3600
                                        : seconds / 86400;
    snprintf (cell.text, sizeof cell.text, "%llu %s ago", (unsigned long long)count, unit);
    return cell;
}

output_cell_t output_number (double value)
{
    output_cell_t cell = {"-"};
    if (isfinite (value))
        snprintf (cell.text, sizeof cell.text, "%.6g", value);
    return cell;
}

output_cell_t output_percent (double ratio)
{
    output_cell_t cell = {"-"};
    if (isfinite (ratio) && fabs (ratio) >= 1e4) /* long: a hundred times the largest double is none */
        snprintf (cell.text, sizeof cell.text, "%+.3Lg %%", (long double)ratio * 100);
    else if (isfinite (ratio)) /* nothing is neither more nor less: never "-0.00 %" */
        snprintf (cell.text, sizeof cell.text, "%+.2f %%", fabs (ratio) < 0.00005 ? 0 : ratio * 100);
    return cell;
}

output_cell_t output_digest (const digest_t *id)
{
    assert (id != NULL);
    output_cell_t cell = {"-"};
    if (!digest_is_zero (id))
        digest_short (id, cell.text);
    return cell;
}

output_cell_t output_key (const pubkey_t *key)
{
    assert (key != NULL);
    output_cell_t cell = {"-"};
    if (!pubkey_is_zero (key))
        pubkey_short (key, cell.text);
    return cell;
}

const char *output_style (const cli_t *cli, output_style_t style)
{
    assert (cli != NULL);
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[31m"};
    assert ((size_t)style < sizeof codes / sizeof *codes);
    return cli->colour ? codes[style] : "";
}

static void s_interrupted (int signal_number)
{
    (void)signal_number; /* that it came is enough: it ends the read */
}

/* A line of stdin. False at its end, and when a signal asks for the end: who is asked may still have something to take back. */
static bool s_read_answer (char *answer, int size)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = s_interrupted}, before[3]; /* no SA_RESTART */
    sigemptyset (&action.sa_mask);
    for (size_t i = 0; i < 3; i++)
        sigaction (signals[i], &action, &before[i]);
    bool read = fgets (answer, size, stdin) != NULL;
    for (size_t i = 0; i < 3; i++)
        sigaction (signals[i], &before[i], NULL);
    if (!read)
        answer[0] = '\0';
    return read;
}

bool output_confirm (const char *question)
{
    char answer[16] = "";
    if (!isatty (STDIN_FILENO))
        return false;
    fprintf (stderr, "%s [y/N] ", question);
    fflush (stderr);
    bool answered = s_read_answer (answer, sizeof answer);
    if (!answered)
        fputc ('\n', stderr);
    answer[strcspn (answer, "\n")] = '\0';
    return strcasecmp (answer, "y") == 0 || strcasecmp (answer, "yes") == 0;
}
