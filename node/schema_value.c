/* SPDX-License-Identifier: MPL-2.0 */
/* The values of a schema: one scalar's text to a C value, and what was expected where it doesn't fit. */
#include "node/schema.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    uint64_t factor;
} unit_t;

static const unit_t s_durations[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 0}};
static const unit_t s_sizes[] = {
    {"B", 1}, {"KiB", UINT64_C (1) << 10}, {"MiB", UINT64_C (1) << 20}, {"GiB", UINT64_C (1) << 30}, {"", 0}};

/* Reads decimal digits up to the first other character; no sign, no leading zero. Returns that character's
 * place, or NULL if there are no digits or the number doesn't fit. */
static const char *s_digits (const char *text, uint64_t *number)
{
    const char *at = text;
    uint64_t sum = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return NULL;
        sum = sum * 10 + digit;
    }
    if (at == text || (text[0] == '0' && at - text > 1))
        return NULL;
    assert (at > text);
    *number = sum;
    return at;
}

static int s_quantity (const char *text, const unit_t *units, uint64_t *quantity)
{
    assert (units[0].factor > 0);
    uint64_t number = 0;
    const char *rest = s_digits (text, &number);
    if (rest == NULL)
        return -1;
    for (const unit_t *unit = units; unit->factor > 0; unit++) {
        if (strcmp (rest, unit->name) != 0)
            continue;
        if (number > UINT64_MAX / unit->factor)
            return -1;
        *quantity = number * unit->factor;
        return 0;
    }
    return -1;
}

int schema_duration_ms (const char *text, uint64_t *ms)
{
    return s_quantity (text, s_durations, ms);
}

int schema_bytes (const char *text, uint64_t *bytes)
{
    return s_quantity (text, s_sizes, bytes);
}

/* True for decimal notation, as JSON has it but with ".5" and "+1" allowed: what strtod takes beyond it
 * (hexadecimal, inf, nan, white space) is no number here. */
static bool s_is_decimal (const char *text)
{
    const char *at = text + strspn (text, "+-");
    if (at - text > 1)
        return false;
    size_t whole = strspn (at, "0123456789");
    at += whole;
    size_t fraction = 0;
    if (*at == '.') {
        fraction = strspn (at + 1, "0123456789");
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-' ? 1 : 0;
        size_t exponent = strspn (at, "0123456789");
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return *at == '\0';
}

static bool s_in_range (const schema_key_t *key, double value)
{
    if (key->minimum == 0 && key->maximum == 0)
        return true;
    return value >= key->minimum && value <= key->maximum;
}

/* Bytes of the UTF-8 character that `text` starts with, 0 if it is none or may not be shown: control
 * characters, ASCII's and U+0080..U+009F alike, are what a terminal would obey. */
static size_t s_character (const char *text, size_t size)
{
    assert (size > 0);
    unsigned char first = (unsigned char)text[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
    return first == 0xc2 && (unsigned char)text[1] < 0xa0 ? 0 : length;
}

/* True if the text shows as one line. */
static bool s_shows (const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = s_character (text + at, size - at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

static bool s_convert_text (const schema_key_t *key, const char *text, size_t size, char *slot)
{
    assert (key->bound > 0);
    if (size > key->bound || (double)size < key->minimum || !s_shows (text, size))
        return false;
    if (key->accept_text != NULL && !key->accept_text (text))
        return false;
    memcpy (slot, text, size);
    slot[size] = '\0';
    return true;
}

static bool s_convert_bool (const char *text, bool *slot)
{
    bool yes = strcmp (text, "true") == 0;
    if (!yes && strcmp (text, "false") != 0)
        return false;
    *slot = yes;
    return true;
}

static bool s_convert_choice (const schema_key_t *key, const char *text, int *slot)
{
    assert (key->choices != NULL && key->choices[0] != NULL);
    for (int i = 0; key->choices[i] != NULL; i++)
        if (strcmp (text, key->choices[i]) == 0) {
            *slot = i;
            return true;
        }
    return false;
}

static bool s_convert_real (const schema_key_t *key, const char *text, double *slot)
{
    if (!s_is_decimal (text))
        return false;
    double value = strtod (text, NULL);
    if (!isfinite (value) || !s_in_range (key, value))
        return false;
    *slot = value;
    return true;
}

static bool s_convert_count (const schema_key_t *key, const char *text, uint64_t *slot)
{
    uint64_t value = 0;
    if (key->type == SCHEMA_INTEGER) {
        const char *rest = s_digits (text, &value);
        if (rest == NULL || *rest != '\0')
            return false;
    } else if (key->type == SCHEMA_DURATION) {
        if (schema_duration_ms (text, &value) != 0)
            return false;
    } else if (schema_bytes (text, &value) != 0) {
        return false;
    }
    if (!s_in_range (key, (double)value))
        return false;
    *slot = value;
    return true;
}

bool schema_convert (const schema_key_t *key, const char *text, size_t size, bool quoted, void *slot)
{
    assert (key != NULL && text != NULL && slot != NULL);
    if (strlen (text) != size) /* a NUL inside would hide the rest */
        return false;
    switch (key->type) {
    case SCHEMA_TEXT: return s_convert_text (key, text, size, slot);
    case SCHEMA_BOOL: return !quoted && s_convert_bool (text, slot);
    case SCHEMA_REAL: return !quoted && s_convert_real (key, text, slot);
    case SCHEMA_CHOICE: return s_convert_choice (key, text, slot);
    case SCHEMA_INTEGER: return !quoted && s_convert_count (key, text, slot);
    case SCHEMA_DURATION:
    case SCHEMA_BYTES: return s_convert_count (key, text, slot);
    case SCHEMA_TEXTS:
    case SCHEMA_REALS:
    case SCHEMA_MAP:
    case SCHEMA_MAPS: break;
    }
    assert (!"a scalar's type");
    return false;
}

/* Appends to a text of `size` bytes, cut at its bound. */
__attribute__ ((format (printf, 3, 4))) static void s_append (char *text, size_t size, const char *format,
                                                              ...)
{
    size_t used = strlen (text);
    assert (used < size);
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text + used, size - used, format, arguments);
    va_end (arguments);
}

/* Appends `number` in the largest unit that divides it. */
static void s_append_quantity (char *text, size_t size, const unit_t *units, double number)
{
    assert (number >= 0);
    uint64_t value = number < 0x1p63 ? (uint64_t)number : UINT64_C (1) << 63;
    const unit_t *best = units;
    for (const unit_t *unit = units; unit->factor > 0; unit++)
        if (value >= unit->factor && value % unit->factor == 0)
            best = unit;
    s_append (text, size, "%llu%s", (unsigned long long)(value / best->factor), best->name);
}

static void s_append_range (char *text, size_t size, const schema_key_t *key, const unit_t *units)
{
    if (key->minimum == 0 && key->maximum == 0)
        return;
    s_append (text, size, " from ");
    if (units == NULL) {
        s_append (text, size, "%.15g to %.15g", key->minimum, key->maximum);
        return;
    }
    s_append_quantity (text, size, units, key->minimum);
    s_append (text, size, " to ");
    s_append_quantity (text, size, units, key->maximum);
}

/* Appends "a, b or c": the choices of a CHOICE, the keys of a MAP. */
static void s_append_names (char *text, size_t size, const schema_key_t *key)
{
    for (size_t i = 0;; i++) {
        bool map = key->type != SCHEMA_CHOICE;
        const char *name = map ? key->of[i].name : key->choices[i];
        if (name == NULL)
            return;
        bool last = map ? key->of[i + 1].name == NULL : key->choices[i + 1] == NULL;
        s_append (text, size, "%s%s", i == 0 ? "" : last ? " or " : ", ", name);
    }
}

void schema_expected (const schema_key_t *key, char *text, size_t size)
{
    assert (key != NULL && text != NULL && size > 0);
    text[0] = '\0';
    if (key->expected != NULL) {
        s_append (text, size, "%s", key->expected);
        return;
    }
    switch (key->type) {
    case SCHEMA_TEXT:
        s_append (text, size, "one line of text, %s%zu bytes at most", key->minimum > 0 ? "not empty, " : "",
                  key->bound);
        break;
    case SCHEMA_BOOL: s_append (text, size, "true or false"); break;
    case SCHEMA_INTEGER:
        s_append (text, size, "a whole number");
        s_append_range (text, size, key, NULL);
        break;
    case SCHEMA_REAL:
        s_append (text, size, "a number");
        s_append_range (text, size, key, NULL);
        break;
    case SCHEMA_DURATION:
        s_append (text, size, "a duration such as 500ms, 20s, 2m or 1h");
        s_append_range (text, size, key, s_durations);
        break;
    case SCHEMA_BYTES:
        s_append (text, size, "a size such as 64KiB, 512MiB or 2GiB");
        s_append_range (text, size, key, s_sizes);
        break;
    case SCHEMA_CHOICE: s_append_names (text, size, key); break;
    case SCHEMA_TEXTS: s_append (text, size, "a list of texts"); break;
    case SCHEMA_REALS: s_append (text, size, "names with numbers"); break;
    case SCHEMA_MAP:
        s_append (text, size, "keys of its own: ");
        s_append_names (text, size, key);
        break;
    case SCHEMA_MAPS:
        s_append (text, size, "a list of items with the keys ");
        s_append_names (text, size, key);
        break;
    }
}

void schema_quote (const char *text, size_t size, char quoted[SCHEMA_QUOTE_BYTES])
{
    assert (text != NULL || size == 0);
    static const char ellipsis[] = "…";
    size_t room = SCHEMA_QUOTE_BYTES - 3 - strlen (ellipsis); /* beside both quotes and the terminator */
    char *out = quoted;
    *out++ = '"';
    size_t used = 0;
    for (size_t at = 0; at < size;) {
        size_t length = s_character (text + at, size - at);
        size_t step = length > 0 ? length : 1;
        if (used + step > room) {
            memcpy (out, ellipsis, strlen (ellipsis));
            out += strlen (ellipsis);
            break;
        }
        memcpy (out, length > 0 ? text + at : "?", step);
        out += step;
        used += step;
        at += step;
    }
    *out++ = '"';
    *out = '\0';
    assert (out < quoted + SCHEMA_QUOTE_BYTES);
}
