/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_retry.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS_FIRST 500
#define WAIT_MS_MOST  30000
#define AFTER_S_MOST  86400

bool llm_retry_status (long status)
{
    return status == 408 || status == 429 || (status >= 500 && status <= 599);
}

uint64_t llm_retry_wait_ms (unsigned number, uint64_t retry_after_s, random_t *random)
{
    assert (number > 0 && retry_after_s <= AFTER_S_MOST && random);
    uint64_t wait_ms = WAIT_MS_MOST;
    if (number > 0 && number < 8)
        wait_ms = (uint64_t)WAIT_MS_FIRST << (number - 1);
    if (wait_ms > WAIT_MS_MOST)
        wait_ms = WAIT_MS_MOST;
    wait_ms -= random_below (random, wait_ms / 2 + 1);
    assert (wait_ms >= WAIT_MS_FIRST / 2);
    return wait_ms > retry_after_s * 1000 ? wait_ms : retry_after_s * 1000;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; years from 1970 on. */
static uint64_t s_days (unsigned year, unsigned month, unsigned day)
{
    assert (year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= 31);
    /* With March as the first month, the leap day is a year's last. */
    uint64_t years = year - (month < 3), months = (month + 9) % 12;
    uint64_t days = years * 365 + years / 4 - years / 100 + years / 400 + (months * 306 + 5) / 10 + day - 1;
    return days - 719468;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the one form of a date that is still to be sent. */
static bool s_parse_date (const char *text, uint64_t *unix_s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month_name[4];
    unsigned day, year, hour, minute, second;
    int end = 0;
    if (sscanf (text, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %2u:%2u:%2u GMT%n", &day, month_name, &year, &hour,
                &minute, &second, &end) != 6 ||
        end == 0)
        return false;
    const char *found = strstr (months, month_name);
    if (strlen (month_name) != 3 || found == NULL || (found - months) % 3 != 0 || year < 1970 || day < 1 ||
        day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    unsigned month = (unsigned)(found - months) / 3 + 1;
    *unix_s = s_days (year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

uint64_t llm_retry_after_s (const char *header, uint64_t now_s)
{
    assert (header);
    uint64_t seconds = 0, then_s;
    header += strspn (header, " \t");
    size_t digits = strspn (header, "0123456789");
    if (digits > 0 && header[digits + strspn (header + digits, " \t\r\n")] == '\0') {
        for (size_t i = 0; i < digits && seconds < AFTER_S_MOST; i++)
            seconds = seconds * 10 + (uint64_t)(header[i] - '0');
    } else if (s_parse_date (header, &then_s) && then_s > now_s)
        seconds = then_s - now_s;
    return seconds < AFTER_S_MOST ? seconds : AFTER_S_MOST;
}
