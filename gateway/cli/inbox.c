/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard inbox: the reference receiver in the foreground, until SIGTERM or SIGINT.
 */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"
#include "inbox/inbox.h"

static const char help_en[] =
    "usage: steelyard inbox --listen ADDRESS:PORT --cert FILE --key FILE --client-ca FILE\n"
    "                       --data DIR [--page ADDRESS:PORT] [--time-zone NAME] [--ready-fd N]\n"
    "                       [--sign-cert FILE --sign-key FILE] [--user-header NAME] [--origin "
    "URL]\n"
    "                       [--est-ca FILE --est-ca-key FILE [--est-tokens FILE]]\n"
    "\n"
    "Takes events of gateways (POST /events, mutual TLS), keeps each once, and shows the alerts on "
    "a\n"
    "page where inspectors answer them; the answers go to the gateways as signed orders.\n"
    "\n"
    "  --listen ADDRESS:PORT  where gateways deliver; port 0: any\n"
    "  --cert, --key FILE     the receiver's certificate and key (PEM)\n"
    "  --client-ca FILE       the CA that signs the gateways' certificates\n"
    "  --crl FILE             its lists of revoked certificates (PEM), read at the start\n"
    "  --data DIR             where events are kept; made if it is not there\n"
    "  --page ADDRESS:PORT    the page and /api/alerts, /api/events; on loopback only, without "
    "TLS\n"
    "                         and without a login\n"
    "  --sign-cert, --sign-key FILE\n"
    "                         what the page's buttons sign orders to gateways with (PEM, P-256);\n"
    "                         the certificate's OU is platform, inspector or regulator\n"
    "  --user-header NAME     header in which the web server before the page names the user;\n"
    "                         without it people type their name\n"
    "  --origin URL           the page's address behind that web server, as\n"
    "                         https://inbox.example\n"
    "  --time-zone NAME       for times on the page, as Asia/Shanghai; default: the machine's\n"
    "  --est-ca, --est-ca-key FILE  certify gateways by EST (RFC 7030) as this CA, which "
    "--client-ca\n"
    "                         must hold, too\n"
    "  --est-tokens FILE      lines \"GATEWAY TOKEN\"; a token counts once\n"
    "  --est-lifetime TIME    of the certificates, as \"90 d\", the default\n"
    "  --est-grace TIME       so long after its end a certificate can still be renewed; \"400 d\"\n"
    "  --ready-fd N           write a line \"ready events=PORT page=PORT\" to this descriptor\n";

static const char help_zh[] =
    "用法：steelyard inbox --listen 地址:端口 --cert 文件 --key 文件 --client-ca 文件 --data 目录\n"
    "                      [--page 地址:端口] [--time-zone 名称] [--ready-fd N]\n"
    "                      [--sign-cert 文件 --sign-key 文件] [--user-header 名称] [--origin URL]\n"
    "                      [--est-ca 文件 --est-ca-key 文件 [--est-tokens 文件]]\n"
    "\n"
    "接收网关送来的事件（POST /events，双向 TLS），每个事件只保存一次，并在网页上显示报警，\n"
    "供检查人员处理；处理结果作为签名的指令由网关取回。\n"
    "\n"
    "  --listen 地址:端口     网关送达的地址；端口 0：任意\n"
    "  --cert、--key 文件     接收方的证书与密钥（PEM）\n"
    "  --client-ca 文件       签发网关证书的 CA\n"
    "  --crl 文件             该 CA 的吊销列表（PEM），启动时读取\n"
    "  --data 目录            事件的存放处；不存在则建立\n"
    "  --page 地址:端口       网页与 /api/alerts、/api/events；仅限本机，无 TLS，无登录\n"
    "  --sign-cert、--sign-key 文件\n"
    "                         网页按钮签发指令所用的证书与密钥（PEM，P-256）；\n"
    "                         证书的 OU 为 platform、inspector 或 regulator\n"
    "  --user-header 名称     前置网页服务器用来说明用户的请求头；不给出则由用户自填姓名\n"
    "  --origin URL           网页在该服务器后的地址，如 https://inbox.example\n"
    "  --time-zone 名称       网页时间的时区，如 Asia/Shanghai；默认为本机时区\n"
    "  --est-ca、--est-ca-key 文件  以此 CA 通过 EST（RFC 7030）为网关签发证书，\n"
    "                         --client-ca 中须含此 CA\n"
    "  --est-tokens 文件      每行“网关 令牌”；令牌只用一次\n"
    "  --est-lifetime 时长    证书有效期，默认“90 d”\n"
    "  --est-grace 时长       证书到期后在此时长内仍可续期；默认“400 d”\n"
    "  --ready-fd N           向此描述符写一行“ready events=端口 page=端口”\n";

typedef struct arguments {
    sy_inbox_options o;
    int ready_fd;
} arguments;

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, arguments *a)
{
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"cert", required_argument, NULL, 'c'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"client-ca", required_argument, NULL, 'a'},
                                            {"crl", required_argument, NULL, 'R'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"page", required_argument, NULL, 'p'},
                                            {"sign-cert", required_argument, NULL, 's'},
                                            {"sign-key", required_argument, NULL, 'S'},
                                            {"user-header", required_argument, NULL, 'u'},
                                            {"origin", required_argument, NULL, 'o'},
                                            {"time-zone", required_argument, NULL, 'z'},
                                            {"ready-fd", required_argument, NULL, 'r'},
                                            {"est-ca", required_argument, NULL, 'A'},
                                            {"est-ca-key", required_argument, NULL, 'K'},
                                            {"est-tokens", required_argument, NULL, 'T'},
                                            {"est-lifetime", required_argument, NULL, 'L'},
                                            {"est-grace", required_argument, NULL, 'G'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        const char **text = c == 'l'   ? &a->o.listen
                            : c == 'c' ? &a->o.cert
                            : c == 'k' ? &a->o.key
                            : c == 'a' ? &a->o.client_ca
                            : c == 'R' ? &a->o.crl
                            : c == 'd' ? &a->o.data
                            : c == 'p' ? &a->o.page
                            : c == 'z' ? &a->o.zone
                            : c == 's' ? &a->o.sign_cert
                            : c == 'S' ? &a->o.sign_key
                            : c == 'u' ? &a->o.user_header
                            : c == 'o' ? &a->o.origin
                            : c == 'A' ? &a->o.est_ca
                            : c == 'K' ? &a->o.est_key
                            : c == 'T' ? &a->o.est_tokens
                                       : NULL;
        if (text) {
            *text = optarg;
        } else if (c == 'L' || c == 'G') {
            sy_ms *time = c == 'L' ? &a->o.est_lifetime : &a->o.est_grace;
            if (sy_duration_parse(sy_span_of(optarg), time) != SY_OK || *time < 1000) {
                fprintf(stderr, "steelyard inbox: '%s' is no time; write 90 d\n", optarg);
                return 2;
            }
        } else if (c == 'r') {
            char *end;
            errno = 0;
            long fd = strtol(optarg, &end, 10);
            if (errno || *end || end == optarg || fd < 0 || fd > 1 << 20) {
                fprintf(stderr, "steelyard inbox: --ready-fd %s is no descriptor\n", optarg);
                return 2;
            }
            a->ready_fd = (int)fd;
        } else if (c == 'h') {
            fputs(sy_locale() == SY_ZH ? help_zh : help_en, stdout);
            return 0;
        } else {
            return 2;
        }
    }
    if (optind != argc || !a->o.listen || !a->o.cert || !a->o.key || !a->o.client_ca ||
        !a->o.data) {
        fputs(sy_locale() == SY_ZH ? help_zh : help_en, stderr);
        return 2;
    }
    return -1;
}

static void tell_ready(const sy_inbox *i, int fd)
{
    char line[64];
    sy_fail f;
    int n = snprintf(line, sizeof line, "ready events=%u page=%u\n", sy_inbox_port(i),
                     sy_inbox_page_port(i));
    if (fd >= 0) {
        if (sy_write_all(fd, line, (size_t)n, &f) != SY_OK) {
            sy_log_fail(SY_LOG_WARN, "inbox-ready-fd", &f);
        }
        if (fd > 2) {
            close(fd);
        }
    }
}

int sy_cmd_inbox(int argc, char **argv)
{
    arguments a = {.ready_fd = -1};
    int code = parse(argc, argv, &a);
    if (code >= 0) {
        return code;
    }
    sigset_t set;
    int got = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before the listeners' threads are made */
    signal(SIGPIPE, SIG_IGN);
    sy_inbox *i = NULL;
    sy_fail f;
    sy_err e = sy_inbox_start(&i, &a.o, &f);
    if (e != SY_OK) {
        fprintf(stderr, "steelyard inbox: %s\n", f.text);
        return e == SY_E_USAGE ? 2 : 1;
    }
    sy_log(SY_LOG_INFO, "inbox-ready", "events=%s port=%u page_port=%u", a.o.listen,
           sy_inbox_port(i), sy_inbox_page_port(i));
    tell_ready(i, a.ready_fd);
    while (sigwait(&set, &got) != 0) {
    }
    sy_inbox_stop(i);
    sy_log(SY_LOG_INFO, "inbox-ended", "signal=%d", got);
    return 0;
}
