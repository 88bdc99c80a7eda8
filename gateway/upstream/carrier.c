/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/carrier.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct sy_carrier {
    CURLM *multi;
    const sy_tls_paths files; /* borrowed */
    const sy_exchange_times times;
    int stop_fd;
    unsigned connects;
};

static void begin(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

sy_err sy_carrier_open(sy_carrier **out, const sy_road_setup *o, sy_fail *f)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin);
    sy_carrier *c = malloc(sizeof *c);
    if (!c)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a destination");
    sy_carrier made = {.files = o->files, .times = o->times, .stop_fd = o->stop_fd};
    memcpy(c, &made, sizeof *c);
    *out = c;
    return SY_OK;
}

void sy_carrier_drop(sy_carrier *c)
{
    if (c->multi)
        curl_multi_cleanup(c->multi);
    c->multi = NULL;
}

void sy_carrier_close(sy_carrier *c)
{
    if (c)
        sy_carrier_drop(c);
    free(c);
}

/* ---- near ---- */

static bool near_v4(const unsigned char a[4], bool lan)
{
    bool private = a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
                   (a[0] == 192 && a[1] == 168) || (a[0] == 169 && a[1] == 254);
    return a[0] == 127 || (lan && private);
}

static bool near_v6(const unsigned char a[16], bool lan)
{
    static const unsigned char loop[16] = {[15] = 1}, mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(a, mapped, 12) == 0)
        return near_v4(a + 12, lan);
    bool private = (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
    return memcmp(a, loop, 16) == 0 || (lan && private);
}

bool sy_carrier_near(const char *url, bool lan)
{
    char host[256];
    unsigned char a[16];
    const char *p = strstr(url, "://");
    p = p ? p + 3 : url;
    bool bracket = *p == '[';
    p += bracket;
    size_t n = strcspn(p, bracket ? "]" : ":/?");
    if (n == 0 || n >= sizeof host)
        return false;
    memcpy(host, p, n);
    host[n] = '\0';
    if (inet_pton(AF_INET, host, a) == 1)
        return near_v4(a, lan);
    return inet_pton(AF_INET6, host, a) == 1 ? near_v6(a, lan) : strcmp(host, "localhost") == 0;
}

/* ---- sending ---- */

typedef struct reading {
    sy_span left;
} reading;

static size_t give(char *to, size_t size, size_t n, void *ctx)
{
    reading *r = ctx;
    size_t k = size * n < r->left.n ? size * n : r->left.n;
    if (k)
        memcpy(to, r->left.p, k);
    r->left.p += k;
    r->left.n -= k;
    return k;
}

/* What a receiver says in its body is nothing to us. */
static size_t ignore(char *from, size_t size, size_t n, void *ctx)
{
    size_t *seen = ctx;
    (void)from;
    *seen += size * n;
    return *seen <= SY_HTTP_BODY_MAX ? size * n : 0;
}

static bool listed(struct curl_slist **list, const char *const *v)
{
    for (size_t i = 0; v && v[i]; i++) {
        struct curl_slist *more = curl_slist_append(*list, v[i]);
        if (!more)
            return false;
        *list = more;
    }
    return true;
}

static bool set_common(CURL *h, const sy_carrier *c, const sy_parcel *p, char *error)
{
    return !curl_easy_setopt(h, CURLOPT_URL, p->url) &&
           !curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error) &&
           !curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(h, CURLOPT_NOPROXY, "*") &&
           !curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) &&
           !curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
           !curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps") &&
           !curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)c->times.connect) &&
           !curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(c->times.connect + c->times.answer)) &&
           !curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L) &&
           !curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L) &&
           !curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (!c->files.ca || !curl_easy_setopt(h, CURLOPT_CAINFO, c->files.ca)) &&
           (!c->files.crl || !curl_easy_setopt(h, CURLOPT_CRLFILE, c->files.crl)) &&
           (!c->files.cert || (!curl_easy_setopt(h, CURLOPT_SSLCERT, c->files.cert) &&
                               !curl_easy_setopt(h, CURLOPT_SSLKEY, c->files.key)));
}

static bool set_kind(CURL *h, const sy_parcel *p, bool plain, struct curl_slist *list)
{
    if (!p->from)
        return !curl_easy_setopt(h, CURLOPT_HTTPHEADER, list) &&
               !curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->body.n) &&
               !curl_easy_setopt(h, CURLOPT_POSTFIELDS, p->body.p);
    return !curl_easy_setopt(h, CURLOPT_USE_SSL,
                             (long)(plain ? CURLUSESSL_NONE : CURLUSESSL_ALL)) &&
           !curl_easy_setopt(h, CURLOPT_MAIL_FROM, p->from) &&
           !curl_easy_setopt(h, CURLOPT_MAIL_RCPT, list) &&
           !curl_easy_setopt(h, CURLOPT_UPLOAD, 1L) &&
           (!p->user || (!curl_easy_setopt(h, CURLOPT_USERNAME, p->user) &&
                         !curl_easy_setopt(h, CURLOPT_PASSWORD, p->password)));
}

/* Until it is done, or we are told to end. */
static sy_err drive(sy_carrier *c, CURLcode *result, sy_fail *f)
{
    for (;;) {
        int running = 0, left;
        struct curl_waitfd stop = {.fd = c->stop_fd, .events = CURL_WAIT_POLLIN};
        if (curl_multi_perform(c->multi, &running) != CURLM_OK)
            return sy_fail_set(f, SY_E_NOMEM, "libcurl cannot go on");
        CURLMsg *m = curl_multi_info_read(c->multi, &left);
        if (m && m->msg == CURLMSG_DONE) {
            *result = m->data.result;
            return SY_OK;
        }
        if (curl_multi_poll(c->multi, &stop, 1, 1000, NULL) != CURLM_OK)
            return sy_fail_set(f, SY_E_NOMEM, "libcurl cannot go on");
        if (stop.revents & CURL_WAIT_POLLIN)
            return sy_fail_set(f, SY_E_CLOSED, "told to end");
    }
}

static sy_err meaning(CURLcode r, const char *error, unsigned status, const char *url, sy_fail *f)
{
    const char *text = error[0] ? error : curl_easy_strerror(r);
    sy_err e = SY_E_IO;
    if (r == CURLE_OK)
        return SY_OK;
    if (r == CURLE_PEER_FAILED_VERIFICATION || r == CURLE_LOGIN_DENIED ||
        r == CURLE_USE_SSL_FAILED || r == CURLE_REMOTE_ACCESS_DENIED)
        e = SY_E_DENIED;
    else if (status >= 400)
        e = SY_E_PEER;
    return sy_fail_set(f, e, "%.120s: %.300s", url, text);
}

sy_err sy_carrier_send(sy_carrier *c, const sy_parcel *p, unsigned *status, sy_fail *f)
{
    char error[CURL_ERROR_SIZE] = "";
    struct curl_slist *list = NULL;
    reading r = {p->body};
    size_t seen = 0;
    CURLcode result = CURLE_OK;
    *status = 0;
    if (!c->multi)
        c->multi = curl_multi_init();
    CURL *h = curl_easy_init();
    bool ready = c->multi && h && listed(&list, p->from ? p->to : p->fields) &&
                 set_common(h, c, p, error) && set_kind(h, p, p->plain && !c->files.ca, list) &&
                 !curl_easy_setopt(h, CURLOPT_READFUNCTION, give) &&
                 !curl_easy_setopt(h, CURLOPT_READDATA, &r) &&
                 !curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, ignore) &&
                 !curl_easy_setopt(h, CURLOPT_WRITEDATA, &seen) &&
                 curl_multi_add_handle(c->multi, h) == CURLM_OK;
    sy_err e = ready ? drive(c, &result, f)
                     : sy_fail_set(f, SY_E_USAGE, "libcurl does not take what is configured");
    if (ready) {
        long code = 0, connects = 0;
        curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &code);
        curl_easy_getinfo(h, CURLINFO_NUM_CONNECTS, &connects);
        *status = code > 0 ? (unsigned)code : 0;
        c->connects += connects > 0 ? (unsigned)connects : 0;
        curl_multi_remove_handle(c->multi, h);
    }
    e = e ? e : meaning(result, error, *status, p->url, f);
    curl_easy_cleanup(h);
    curl_slist_free_all(list);
    return e;
}

/* ---- what roads share ---- */

sy_err sy_carried_open(sy_carried *c, const sy_road_ops *ops, const sy_road_setup *o, sy_fail *f)
{
    c->road.ops = ops;
    snprintf(c->url, sizeof c->url, "%s", o->url);
    return sy_carrier_open(&c->carrier, o, f);
}

void sy_carried_close(sy_road *r)
{
    sy_carrier_close(((sy_carried *)r)->carrier);
    free(r);
}

sy_err sy_carried_turn(sy_road *r, const char *url, sy_fail *f)
{
    sy_carried *c = (sy_carried *)r;
    (void)f;
    sy_carrier_drop(c->carrier);
    snprintf(c->url, sizeof c->url, "%s", url);
    return SY_OK;
}

int sy_carried_fd(const sy_road *r)
{
    (void)r;
    return -1; /* libcurl watches its own */
}

void sy_carried_drop(sy_road *r)
{
    sy_carrier_drop(((sy_carried *)r)->carrier);
}

void sy_carried_counts(const sy_road *r, unsigned *connects, unsigned *resumed)
{
    *connects = ((const sy_carried *)r)->carrier->connects;
    *resumed = 0;
}

const char *sy_carried_peer(const sy_road *r)
{
    return ((const sy_carried *)r)->url;
}
