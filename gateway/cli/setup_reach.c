/* SPDX-License-Identifier: Apache-2.0 */
/* Who sends, who is told, and who may look: the first device, the authority, the console. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/setup_int.h"
#include "config/config.h"
#include "console/users.h"
#include "control/control.h"
#include "drivers/formats/format.h"

enum { PORTS = 20, ANSWER_MS = 2000 };

/* ---- ports ---- */

/* "ADDRESS:PORT", split; false: it is not that. */
static bool split(const char *text, char host[SY_SETUP_TEXT], char port[8])
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || strlen(colon + 1) > 5 || strlen(text) >= SY_SETUP_TEXT)
        return false;
    size_t n = (size_t)(colon - text);
    bool bracket = *text == '[' && n > 2 && text[n - 1] == ']';
    snprintf(host, SY_SETUP_TEXT, "%.*s", (int)(bracket ? n - 2 : n), bracket ? text + 1 : text);
    snprintf(port, 8, "%s", colon + 1);
    return *port && strspn(port, "0123456789") == strlen(port);
}

/* 1: free, 0: taken, -1: no address of this machine. */
static int is_free(const char *text)
{
    char host[SY_SETUP_TEXT], port[8];
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM},
                    *a = NULL;
    if (!split(text, host, port) || getaddrinfo(host, port, &hints, &a) != 0)
        return -1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, result = -1;
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        bool bound = bind(fd, a->ai_addr, a->ai_addrlen) == 0;
        result = bound && listen(fd, 1) == 0 ? 1 : errno == EADDRNOTAVAIL ? -1 : 0;
        close(fd);
    }
    freeaddrinfo(a);
    return result;
}

static bool runs_already(const sy_setup *x)
{
    sy_buf answer;
    sy_fail f;
    sy_buf_init(&answer, sy_heap());
    bool runs = sy_control_ask(x->data, "status", ANSWER_MS, &answer, &f) == SY_OK;
    sy_buf_fini(&answer);
    return runs;
}

static bool is_listen(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    int is = is_free(answer);
    if (is == 0 && runs_already(x))
        is = 1; /* the gateway of this folder has it, or will see */
    if (is < 0)
        snprintf(why, SY_SETUP_TEXT, "%s",
                 SY_SETUP_SAY(
                     x, "ADDRESS:PORT with an address of this machine is needed, as 0.0.0.0:1883",
                     "须为“本机地址:端口”，如 0.0.0.0:1883"));
    else if (is == 0)
        snprintf(why, SY_SETUP_TEXT, "%s",
                 SY_SETUP_SAY(x, "the port is taken; name another one", "端口已被占用，请另选"));
    return is == 1;
}

static bool is_console(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    if (strcmp(answer, "-") == 0)
        return true;
    if (strncmp(answer, "127.", 4) != 0 && strncmp(answer, "[::1]", 5) != 0) {
        snprintf(
            why, SY_SETUP_TEXT, "%s",
            SY_SETUP_SAY(x,
                         "an address that others reach needs TLS: begin with 127.0.0.1, and see "
                         "docs/console.md",
                         "他人可达的地址须用 TLS：先用 127.0.0.1，参见 docs/console.md"));
        return false;
    }
    return is_listen(x, answer, why);
}

/* The first port from the usual one on that is free. */
static void free_from(const sy_setup *x, const char *host, int port, char *out, size_t size)
{
    bool ours = runs_already(x);
    for (int i = 0; i < PORTS; i++) {
        snprintf(out, size, "%s:%d", host, port + i);
        if (ours || is_free(out) != 0)
            return;
    }
}

/* ---- the device ---- */

static bool is_duration(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    sy_ms t = 0, missing = 0;
    bool good = sy_duration_parse(sy_span_of(answer), &t) == SY_OK && t > 0;
    const sy_num *n = x->rule->missing_after ? sy_value_num(x->rule->missing_after, NULL, 0) : NULL;
    const sy_unit *ms = sy_unit_by_id("ms");
    if (n && n->unit && sy_unit_convertible(n->unit, ms))
        missing = (sy_ms)(sy_unit_convert(n->value, n->unit, ms) + 0.5);
    if (!good)
        snprintf(why, SY_SETUP_TEXT, "%s",
                 SY_SETUP_SAY(x, "a time is needed, as 60 s or 5 min", "须为时长，如 60 s、5 min"));
    else if (missing && missing * 2 < t * 3) {
        good = false;
        snprintf(why, SY_SETUP_TEXT,
                 SY_SETUP_SAY(x, "the rule takes data for missing after %lld s: at most %lld s",
                              "规则规定 %lld 秒后即为数据缺失：至多 %lld 秒"),
                 (long long)missing / 1000, (long long)missing * 2 / 3000);
    }
    return good;
}

static bool is_topic(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    bool good = !strpbrk(answer, "+#$ ") && *answer != '@';
    if (!good)
        snprintf(why, SY_SETUP_TEXT, "%s",
                 SY_SETUP_SAY(x, "one topic without wildcards is needed, as site-1/probe-1",
                              "须为不含通配符的主题，如 site-1/probe-1"));
    return good;
}

static sy_err ask_listen(sy_setup *x, sy_fail *f)
{
    char preset[SY_SETUP_TEXT];
    free_from(x, "0.0.0.0", 1883, preset, sizeof preset);
    if (strcmp(preset, "0.0.0.0:1883") != 0)
        printf(
            "\n%s\n",
            SY_SETUP_SAY(x,
                         "Port 1883 is taken. Debian's package mosquitto starts a broker of its "
                         "own there;\n`systemctl disable --now mosquitto` ends it. Or take another "
                         "port:",
                         "端口1883已被占用。Debian 的 mosquitto 软件包会在此启动自带的服务；\n"
                         "可用 systemctl disable --now mosquitto 停止，或另选端口："));
    sy_question q = {.ask = SY_SETUP_SAY(x, "Where the gateway takes MQTT", "网关接收 MQTT 的地址"),
                     .note = SY_SETUP_SAY(
                         x,
                         "0.0.0.0: all networks of the box. Without TLS passwords are readable on "
                         "the wire: a network of the devices' own.",
                         "0.0.0.0：本机所有网络。未用 TLS 时口令可被窃听，设备宜用专用网络。"),
                     .preset = preset,
                     .good = is_listen,
                     .out = x->listen,
                     .size = sizeof x->listen};
    return sy_setup_ask(x, &q, f);
}

static sy_err choose_format(sy_setup *x, sy_fail *f)
{
    const sy_choice of[] = {
        {"json", SY_SETUP_SAY(x, "JSON, its names at the top: {\"temperature\": 4.2}",
                              "JSON，名称在最外层：{\"temperature\": 4.2}")},
        {"number", SY_SETUP_SAY(x, "the number alone: 4.2", "仅数值：4.2")},
        {"senml-json", SY_SETUP_SAY(x, "SenML (RFC 8428)", "SenML（RFC 8428）")}};
    size_t at = 0;
    sy_err e = sy_setup_choose(
        x,
        &(sy_choices){
            SY_SETUP_SAY(x, "What does it send?", "设备发送什么格式？"),
            SY_SETUP_SAY(x, "Others are in docs/devices.md; `devices adopt` finds out by itself.",
                         "其他格式见 docs/devices.md；devices adopt 可自动识别。"),
            of, sizeof of / sizeof *of},
        &at, f);
    if (!e)
        snprintf(x->format, sizeof x->format, "%s", of[at].id);
    return e;
}

static sy_err ask_device(sy_setup *x, sy_fail *f)
{
    char topic[SY_SETUP_TEXT];
    sy_setup_head(x, SY_SETUP_SAY(x, "The first device, by MQTT", "第一台设备（MQTT）"));
    sy_err e = ask_listen(x, f);
    const sy_question id = {
        .ask = SY_SETUP_SAY(x, "Id of the device", "设备的 id"),
        .note =
            SY_SETUP_SAY(x, "It is its user name, too. Its password is made and shown at the end.",
                         "同时为其用户名。口令由本程序生成，最后显示。"),
        .preset = "probe-1",
        .good = sy_setup_is_word,
        .out = x->device,
        .size = sizeof x->device};
    e = e ? e : sy_setup_ask(x, &id, f);
    snprintf(topic, sizeof topic, "%s/%s", x->premises, x->device);
    const sy_question where = {
        .ask = SY_SETUP_SAY(x, "Topic that it publishes to", "其发布的主题"),
        .note = SY_SETUP_SAY(x, "It may write nothing else.", "设备不得写入其他主题。"),
        .preset = topic,
        .good = is_topic,
        .out = x->topic,
        .size = sizeof x->topic};
    e = e ? e : sy_setup_ask(x, &where, f);
    e = e ? e : choose_format(x, f);
    const sy_question more[] = {
        {.ask = SY_SETUP_SAY(x, "Name of the value in its messages", "报文中该值的名称"),
         .note = SY_SETUP_SAY(x, "As the device writes it.", "与设备所写一致。"),
         .preset = x->quantity->id,
         .out = x->point,
         .size = sizeof x->point},
        {.ask = SY_SETUP_SAY(x, "How often does it send?", "多久发送一次？"),
         .note = SY_SETUP_SAY(x, "What is expected; silence is told after the rule's own time.",
                              "预期的间隔；超过规则规定的时间即报数据缺失。"),
         .preset = "1 min",
         .good = is_duration,
         .out = x->every,
         .size = sizeof x->every}};
    for (size_t i = 0; i < sizeof more / sizeof *more && !e; i++)
        e = sy_setup_ask(x, &more[i], f);
    return e;
}

/* ---- the authority ---- */

static bool is_https(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    bool good = strncmp(answer, "https://", 8) == 0 && answer[8] && !strpbrk(answer, " \"");
    if (!good)
        snprintf(
            why, SY_SETUP_TEXT, "%s",
            SY_SETUP_SAY(x, "https://HOST:PORT/PATH is needed", "须为 https://主机:端口/路径"));
    return good;
}

static bool is_pem(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    sy_buf text;
    sy_fail f;
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_file_read(answer, 1 << 20, &text, &f);
    bool good = !e && memmem(text.p, text.n, "-----BEGIN ", 11) != NULL;
    if (!good)
        snprintf(why, SY_SETUP_TEXT, "%.150s",
                 e ? f.text : SY_SETUP_SAY(x, "this is no PEM file", "不是 PEM 文件"));
    if (text.p)
        explicit_bzero(text.p, text.n);
    sy_buf_fini(&text);
    return good;
}

static sy_err ask_all(sy_setup *x, const sy_question *q, size_t n, sy_fail *f)
{
    sy_err e = SY_OK;
    for (size_t i = 0; i < n && !e; i++)
        e = sy_setup_ask(x, &q[i], f);
    return e;
}

static sy_err ask_trust(sy_setup *x, sy_fail *f)
{
    const sy_question enrol[] = {
        {.ask = SY_SETUP_SAY(x, "URL where certificates are asked for", "申请证书的网址"),
         .note = "EST, RFC 7030",
         .good = is_https,
         .out = x->est,
         .size = sizeof x->est},
        {.ask = SY_SETUP_SAY(x, "One-time token", "一次性令牌"),
         .note = SY_SETUP_SAY(x, "From the authority, for this box.", "由监管机构为本机发放。"),
         .secret = true,
         .out = x->token,
         .size = sizeof x->token}};
    const sy_question files[] = {
        {.ask = SY_SETUP_SAY(x, "File with the certificate of this box", "本机证书文件"),
         .note = "PEM",
         .good = is_pem,
         .out = x->cert,
         .size = sizeof x->cert},
        {.ask = SY_SETUP_SAY(x, "File with its key", "其私钥文件"),
         .note = "PEM",
         .good = is_pem,
         .out = x->key,
         .size = sizeof x->key}};
    return x->trust == SY_SETUP_ENROL ? ask_all(x, enrol, 2, f) : ask_all(x, files, 2, f);
}

static sy_err ask_authority(sy_setup *x, sy_fail *f)
{
    const sy_choice of[] = {
        {"none", SY_SETUP_SAY(x, "none yet: alerts stay on the box", "暂无：报警留在本机")},
        {"enrol", SY_SETUP_SAY(x, "yes, and the box asks there for its certificate, with a token",
                               "有，本机凭令牌向其申请证书")},
        {"files", SY_SETUP_SAY(x, "yes, and certificate and key are here as files",
                               "有，证书和私钥已是文件")}};
    size_t at = 0;
    sy_setup_head(x, SY_SETUP_SAY(x, "The authority", "监管机构"));
    sy_err e = sy_setup_choose(
        x,
        &(sy_choices){
            SY_SETUP_SAY(x, "Is there an authority that is told?", "是否有接收报警的监管机构？"),
            SY_SETUP_SAY(x, "Alerts go there over TLS; box and receiver both show a certificate.",
                         "报警经 TLS 送达；本机与接收方均出示证书。"),
            of, sizeof of / sizeof *of},
        &at, f);
    x->trust = at == 1 ? SY_SETUP_ENROL : at == 2 ? SY_SETUP_FILES : SY_SETUP_NOBODY;
    if (e || x->trust == SY_SETUP_NOBODY)
        return e;
    const sy_question q[] = {
        {.ask = SY_SETUP_SAY(x, "URL of the receiver", "接收方网址"),
         .note = "https://inbox.example:8443/events",
         .good = is_https,
         .out = x->url,
         .size = sizeof x->url},
        {.ask = SY_SETUP_SAY(x, "File with the authority's CA certificate", "监管机构 CA 证书文件"),
         .note = SY_SETUP_SAY(x,
                              "PEM; whom the receiver must come from. A copy goes beside the "
                              "configuration.",
                              "PEM；接收方须由其签发。副本存于配置文件旁。"),
         .good = is_pem,
         .out = x->ca,
         .size = sizeof x->ca}};
    e = ask_all(x, q, 2, f);
    return e ? e : ask_trust(x, f);
}

/* ---- the console ---- */

static bool is_password(sy_setup *x, const char *answer, char why[SY_SETUP_TEXT])
{
    size_t n = strlen(answer);
    bool same = !x->last_secret || strcmp(x->last_secret, answer) == 0;
    snprintf(why, SY_SETUP_TEXT, "%s",
             !same ? SY_SETUP_SAY(x, "the two are not the same", "两次输入不一致")
                   : SY_SETUP_SAY(x, "10 to 256 bytes are needed", "须为10至256字节"));
    return same && n >= SY_PASSWORD_LEAST && n <= SY_PASSWORD_MOST;
}

static sy_err ask_console(sy_setup *x, sy_fail *f)
{
    char preset[SY_SETUP_TEXT], again[sizeof x->user_password] = "";
    free_from(x, "127.0.0.1", 8080, preset, sizeof preset);
    sy_setup_head(x, SY_SETUP_SAY(x, "The console", "控制台"));
    const sy_question where = {
        .ask = SY_SETUP_SAY(x, "Where its pages are", "页面的地址"),
        .note =
            SY_SETUP_SAY(x, "This machine alone; others need TLS (docs/console.md). -: no console",
                         "仅限本机；他人访问须用 TLS（docs/console.md）。-：不设控制台"),
        .preset = preset,
        .good = is_console,
        .out = x->console,
        .size = sizeof x->console};
    sy_err e = sy_setup_ask(x, &where, f);
    if (e || strcmp(x->console, "-") == 0) {
        *x->console = '\0';
        return e;
    }
    const sy_question who[] = {
        {.ask = SY_SETUP_SAY(x, "Name of the first account", "第一个账户的用户名"),
         .note = SY_SETUP_SAY(x, "Its role is deployer; `steelyard users add` makes others.",
                              "角色为 deployer；其他账户用 steelyard users add 添加。"),
         .preset = "deployer",
         .good = sy_setup_is_word,
         .out = x->user,
         .size = sizeof x->user},
        {.ask = SY_SETUP_SAY(x, "Its password", "其口令"),
         .note = SY_SETUP_SAY(x, "10 to 256 bytes.", "10至256字节。"),
         .good = is_password,
         .secret = true,
         .out = x->user_password,
         .size = sizeof x->user_password}};
    e = ask_all(x, who, 2, f);
    if (e || !x->terminal)
        return e;
    x->last_secret = x->user_password;
    const sy_question once_more = {.ask = SY_SETUP_SAY(x, "Once more", "再次输入"),
                                   .good = is_password,
                                   .secret = true,
                                   .out = again,
                                   .size = sizeof again};
    e = sy_setup_ask(x, &once_more, f);
    x->last_secret = NULL;
    explicit_bzero(again, sizeof again);
    return e;
}

sy_err sy_setup_reach(sy_setup *x, sy_fail *f)
{
    sy_err e = ask_device(x, f);
    e = e ? e : ask_authority(x, f);
    return e ? e : ask_console(x, f);
}
