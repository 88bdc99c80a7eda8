/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of the sender that need no connection, so that each row of them can be tested.
 */
#include "upstream/retry.h"

#include <stdio.h>
#include <string.h>

sy_answer sy_answer_of(unsigned status)
{
    if (status >= 200 && status < 300) {
        return SY_ANSWER_OK;
    }
    if (status == 408 || status == 425 || status == 429 || status >= 500) {
        return SY_ANSWER_LATER;
    }
    if (status == 400 || status == 409 || status == 413 || status == 422) {
        return SY_ANSWER_EVENT;
    }
    return SY_ANSWER_DESTINATION;
}

sy_ms sy_backoff_ms(unsigned failures, sy_ms base, sy_ms cap, uint64_t random)
{
    sy_ms top = base;
    for (unsigned i = 1; i < failures && top < cap; i++) {
        top *= 2;
    }
    top = top < cap ? top : cap;
    sy_ms least = base / 20 > 0 ? base / 20 : 1;
    return least + (sy_ms)(random % (uint64_t)(top > least ? top - least + 1 : 1));
}

static sy_ms http_date(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4];
    int day = 0, year = 0, hour = 0, minute = 0, second = 0, end = 0;
    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, month, &year, &hour,
               &minute, &second, &end) != 6 ||
        end == 0 || text[end] != 0 || strlen(month) != 3) {
        return SY_MS_NONE;
    }
    const char *at = strstr(months, month);
    int number = at && (at - months) % 3 == 0 ? (int)((at - months) / 3) + 1 : 0;
    if (number == 0 || year < 1970 || !sy_date_valid(year, number, day) || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60) {
        return SY_MS_NONE;
    }
    int64_t days = sy_days_of((sy_date){year, (uint8_t)number, (uint8_t)day});
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

sy_ms sy_retry_after_ms(const char *text, sy_ms wall, sy_ms cap)
{
    while (*text == ' ') {
        text++;
    }
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == ' ') {
        n--;
    }
    char trimmed[64];
    if (n == 0 || n >= sizeof trimmed) {
        return 0;
    }
    memcpy(trimmed, text, n);
    trimmed[n] = 0;
    sy_ms wait = 0;
    if (strspn(trimmed, "0123456789") == n) {
        for (size_t i = 0; i < n && wait <= cap; i++) {
            wait = wait * 10 + (trimmed[i] - '0');
        }
        wait = wait > cap ? cap : wait * 1000;
    } else {
        sy_ms at = http_date(trimmed);
        wait = at == SY_MS_NONE || at <= wall ? 0 : at - wall;
    }
    return wait > cap ? cap : wait;
}
