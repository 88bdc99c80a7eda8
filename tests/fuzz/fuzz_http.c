/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an answer to a POST: whole and byte by byte it must be judged alike, within bounds;
 * as the text of Retry-After and as an address, too.
 */
#include <stdlib.h>

#include "upstream/http.h"
#include "upstream/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void texts(const uint8_t *bytes, size_t n)
{
    char text[1300];
    sy_url url;
    sy_fail f;
    n = n < sizeof text ? n : sizeof text - 1;
    memcpy(text, bytes, n);
    text[n] = 0;
    if (sy_url_parse(text, &url, &f) == SY_OK) {
        require(url.host[0] && url.port[0] && url.path[0] == '/');
        require(!strpbrk(url.path, " \r\n") && !strpbrk(url.authority, " \r\n"));
    }
    sy_ms wait = sy_retry_after_ms(text, 1000000, 3600000);
    require(wait >= 0 && wait <= 3600000);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    sy_http *whole = NULL, *parts = NULL;
    sy_fail f;
    if (sy_http_open(&whole, &f) != SY_OK || sy_http_open(&parts, &f) != SY_OK)
        return 0;
    sy_http_state a = sy_http_feed(whole, (const char *)bytes, n), b = SY_HTTP_MORE;
    for (size_t i = 0; i < n && b == SY_HTTP_MORE; i++)
        b = sy_http_feed(parts, (const char *)bytes + i, 1);
    require(a == b);
    if (a == SY_HTTP_MORE) {
        a = sy_http_eof(whole);
        b = sy_http_eof(parts);
        require(a == b && a != SY_HTTP_MORE);
    }
    if (a == SY_HTTP_DONE) {
        require(sy_http_status(whole) == sy_http_status(parts));
        require(sy_http_status(whole) >= 200 && sy_http_status(whole) < 600);
        require(strcmp(sy_http_retry_after(whole), sy_http_retry_after(parts)) == 0);
        require(strcmp(sy_http_note(whole), sy_http_note(parts)) == 0);
    }
    sy_http_close(whole);
    sy_http_close(parts);
    texts(bytes, n);
    return 0;
}
