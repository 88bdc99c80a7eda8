/* SPDX-License-Identifier: Apache-2.0 */
/* The floor for CoAP: a libcoap server that answers 2.04 to any POST and only counts:
 * count_coap MESSAGES. Prints its port, then one line of JSON. */
#include <arpa/inet.h>
#include <coap3/coap.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench_util.h"

static void hnd_post(coap_resource_t *r, coap_session_t *s, const coap_pdu_t *request,
                     const coap_string_t *query, coap_pdu_t *response)
{
    (void)request;
    (void)query;
    long *seen = coap_resource_get_userdata(r);
    (void)s;
    (*seen)++;
    coap_pdu_set_code(response, COAP_RESPONSE_CODE_CHANGED);
}

/* A port that is free now; the endpoint's own is not told by the library. */
static uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        exit(1);
    close(fd);
    return ntohs(a.sin_port);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: count_coap MESSAGES\n", stderr);
        return 2;
    }
    long want = atol(argv[1]), seen = 0;
    uint16_t port = free_port();
    coap_startup();
    coap_context_t *ctx = coap_new_context(NULL);
    coap_address_t at;
    coap_address_init(&at);
    at.addr.sin.sin_family = AF_INET;
    at.addr.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.addr.sin.sin_port = htons(port);
    at.size = sizeof at.addr.sin;
    if (!ctx || !coap_new_endpoint(ctx, &at, COAP_PROTO_UDP))
        return 1;
    coap_context_set_block_mode(ctx, 0);
    coap_resource_t *any = coap_resource_unknown_init(NULL);
    coap_register_handler(any, COAP_REQUEST_PUT, hnd_post);
    coap_register_handler(any, COAP_REQUEST_POST, hnd_post);
    coap_resource_set_userdata(any, &seen);
    coap_add_resource(ctx, any);
    printf("%u\n", (unsigned)port);
    fflush(stdout);
    double first = 0;
    while (seen < want) {
        coap_io_process(ctx, 1000);
        if (seen && first == 0)
            first = bench_now();
    }
    bench_report(bench_now() - first, seen);
    coap_free_context(ctx);
    coap_cleanup();
    return 0;
}
