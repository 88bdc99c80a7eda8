/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as people write them, as data: durations, addresses, dates, names, paths, hours. Pure
 * functions of the text, so that each is tested by itself.
 */
#include <arpa/inet.h>

#include "base/os.h"
#include "base/utf8.h"
#include "config/config_int.h"

static sy_span trim(sy_span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A month is 30 days and a year 365 here: calendar periods are only checked for being sane, due
 * dates are counted on the calendar. */
static const struct {
    const char *word;
    sy_ms ms;
    bool calendar;
} spans[] = {
    {"ms", 1, false},
    {"毫秒", 1, false},
    {"s", 1000, false},
    {"sec", 1000, false},
    {"second", 1000, false},
    {"seconds", 1000, false},
    {"秒", 1000, false},
    {"min", 60000, false},
    {"minute", 60000, false},
    {"minutes", 60000, false},
    {"分钟", 60000, false},
    {"h", 3600000, false},
    {"hour", 3600000, false},
    {"hours", 3600000, false},
    {"小时", 3600000, false},
    {"d", 86400000, false},
    {"day", 86400000, false},
    {"days", 86400000, false},
    {"日", 86400000, false},
    {"天", 86400000, false},
    {"week", 604800000, false},
    {"weeks", 604800000, false},
    {"周", 604800000, false},
    {"month", 2592000000, true},
    {"months", 2592000000, true},
    {"个月", 2592000000, true},
    {"year", 31536000000, true},
    {"years", 31536000000, true},
    {"年", 31536000000, true},
};

bool sy_value_duration(sy_span text, bool calendar, sy_ms *out)
{
    size_t i = 0;
    text = trim(text);
    while (i < text.n && (digit(text.p[i]) || text.p[i] == '.'))
        i++;
    double number;
    if (i == 0 || sy_double_parse((sy_span){text.p, i}, &number) != SY_OK)
        return false;
    sy_span unit = trim((sy_span){text.p + i, text.n - i});
    for (size_t k = 0; k < sizeof spans / sizeof *spans; k++) {
        if (!sy_span_is(unit, spans[k].word) || (spans[k].calendar && !calendar))
            continue;
        double ms = number * (double)spans[k].ms;
        if (ms > 1e14)
            return false;
        *out = (sy_ms)(ms + 0.5);
        return true;
    }
    return false;
}

bool sy_value_bytes(sy_span text, uint64_t *out)
{
    static const struct {
        const char *word;
        double bytes;
    } units[] = {
        {"", 1},      {"B", 1},      {"kB", 1e3},      {"MB", 1e6},      {"GB", 1e9},
        {"TB", 1e12}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1 << 30}, {"TiB", 1099511627776.0}};
    size_t i = 0;
    text = trim(text);
    while (i < text.n && (digit(text.p[i]) || text.p[i] == '.'))
        i++;
    double number;
    if (i == 0 || sy_double_parse((sy_span){text.p, i}, &number) != SY_OK)
        return false;
    sy_span unit = trim((sy_span){text.p + i, text.n - i});
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
        double bytes = number * units[k].bytes;
        if (!sy_span_is(unit, units[k].word) || bytes > 1e15)
            continue;
        *out = (uint64_t)(bytes + 0.5);
        return true;
    }
    return false;
}

/* Numbers without leading zeros up to a bound. */
static bool small_number(sy_span s, unsigned max, unsigned *out)
{
    unsigned v = 0;
    if (s.n == 0 || s.n > 5 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!digit(s.p[i]))
            return false;
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    *out = v;
    return v <= max;
}

static bool address(sy_span s, unsigned char addr[16], bool *v6)
{
    char buf[INET6_ADDRSTRLEN];
    if (s.n == 0 || s.n >= sizeof buf)
        return false;
    memcpy(buf, s.p, s.n);
    buf[s.n] = 0;
    memset(addr, 0, 16);
    *v6 = memchr(buf, ':', s.n) != NULL;
    return inet_pton(*v6 ? AF_INET6 : AF_INET, buf, addr) == 1;
}

bool sy_value_listen(sy_span text)
{
    const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    unsigned char addr[16];
    unsigned port;
    bool v6;
    if (!colon)
        return false;
    sy_span host = {text.p, (size_t)(colon - text.p)};
    sy_span tail = {colon + 1, text.n - host.n - 1};
    bool brackets = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (brackets)
        host = (sy_span){host.p + 1, host.n - 2};
    return address(host, addr, &v6) && v6 == brackets && small_number(tail, 65535, &port);
}

bool sy_value_cidr(sy_span text, unsigned char addr[16], int *bits, bool *v6)
{
    const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    sy_span host = {text.p, slash ? (size_t)(slash - text.p) : text.n};
    if (!address(host, addr, v6))
        return false;
    unsigned width = *v6 ? 128 : 32, n = width;
    if (slash && !small_number((sy_span){slash + 1, text.n - host.n - 1}, width, &n))
        return false;
    *bits = (int)n;
    for (unsigned b = n; b < width; b++) /* 10.0.0.1/8 means 10.0.0.0/8 or a typing error: refuse */
        if (addr[b / 8] & (0x80u >> (b % 8)))
            return false;
    return true;
}

static bool fixed_number(sy_span s, size_t at, size_t n, int *out)
{
    *out = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= s.n || !digit(s.p[i]))
            return false;
        *out = *out * 10 + (s.p[i] - '0');
    }
    return true;
}

bool sy_value_date(sy_span text, sy_date *out)
{
    int y, m, d;
    if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' || !fixed_number(text, 0, 4, &y) ||
        !fixed_number(text, 5, 2, &m) || !fixed_number(text, 8, 2, &d) || !sy_date_valid(y, m, d))
        return false;
    *out = (sy_date){.year = y, .month = (uint8_t)m, .day = (uint8_t)d};
    return true;
}

bool sy_value_name(sy_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return false;
    return text.n >= 1 && text.n <= 128;
}

bool sy_value_id(sy_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (strchr(" /,\"'\\#+", text.p[i]))
            return false;
    return sy_value_name(text);
}

/* $ .key [0] … as formats/json reads it. */
bool sy_value_json_path(sy_span text)
{
    if (text.n < 2 || text.n > 256 || text.p[0] != '$')
        return false;
    for (size_t i = 1; i < text.n;) {
        size_t start = i + 1;
        if (text.p[i] == '.') {
            for (i = start; i < text.n && text.p[i] != '.' && text.p[i] != '['; i++)
                ;
            if (i == start)
                return false;
        } else if (text.p[i] == '[') {
            for (i = start; i < text.n && digit(text.p[i]); i++)
                ;
            if (i == start || i - start > 5 || i >= text.n || text.p[i] != ']')
                return false;
            i++;
        } else {
            return false;
        }
    }
    return true;
}

bool sy_value_topic(sy_span text)
{
    if (!sy_value_name(text) || text.p[0] == '$' || memchr(text.p, '+', text.n))
        return false;
    const char *hash = memchr(text.p, '#', text.n);
    return !hash || (hash == text.p + text.n - 1 && text.n > 2 && hash[-1] == '/');
}

/* scheme://host[:port][/path], the host a name or an address. */
bool sy_value_url(sy_span text, const char *scheme)
{
    size_t k = strlen(scheme);
    if (text.n <= k + 3 || text.n > 512 || memcmp(text.p, scheme, k) != 0 ||
        memcmp(text.p + k, "://", 3) != 0)
        return false;
    size_t i = k + 3, start = i;
    for (size_t j = i; j < text.n; j++)
        if ((unsigned char)text.p[j] <= ' ' || strchr("\"<>\\^`{|}@#", text.p[j]))
            return false;
    if (text.p[i] == '[') {
        const char *end = memchr(text.p + i, ']', text.n - i);
        unsigned char addr[16];
        bool v6;
        if (!end || !address((sy_span){text.p + i + 1, (size_t)(end - text.p) - i - 1}, addr, &v6))
            return false;
        i = (size_t)(end - text.p) + 1;
    } else {
        while (i < text.n && (letter(text.p[i]) || digit(text.p[i]) || text.p[i] == '.' ||
                              text.p[i] == '-' || text.p[i] == '_'))
            i++;
        if (i == start)
            return false;
    }
    if (i < text.n && text.p[i] == ':') {
        size_t from = ++i;
        unsigned port;
        while (i < text.n && digit(text.p[i]))
            i++;
        if (!small_number((sy_span){text.p + from, i - from}, 65535, &port) || port == 0)
            return false;
    }
    return i == text.n || text.p[i] == '/';
}
