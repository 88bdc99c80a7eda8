/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real Modbus slaves, by libmodbus: modbus_slave tcp PORT UNIT…   on 127.0.0.1, or
 *                                   modbus_slave pty LINK UNIT…   on a serial line whose name LINK
 * is. It says "ready" once it answers. Units that are not listed give no answer. What the registers
 * hold is below; input register 0 counts the requests of its unit, input register 1 is the unit.
 */
#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { REGISTERS = 40, BITS = 8, UNITS = 8, ASKED = 8 };

typedef struct slave {
    modbus_mapping_t *units[UNITS];
    int ids[UNITS];
    int n;
} slave;

static void fill(modbus_mapping_t *m, int unit)
{
    /* Floats stand here as the words that IEEE 754 has: the library's own functions do not agree
     * from version to version on which order is which. */
    static const uint16_t fixed[] = {
        0xffff,                         /* u16 */
        0xff48,                         /* i16: -184 */
        0x0001, 0x2345,                 /* u32 ABCD: 74565 */
        0xee90, 0xfffe,                 /* i32 CDAB: -70000 */
        0x0000, 0x0100, 0,      1,      /* u64 ABCD: 2^40 + 1 */
        0xc194, 0x0000,                 /* f32 ABCD: -18.5 */
        0x0000, 0x41aa,                 /* f32 CDAB: 21.25 */
        0x6040, 0x0000,                 /* f32 BADC: 3.5 */
        0x0000, 0x003e,                 /* f32 DCBA: 0.125 */
        0x4013, 0x8000, 0,      0,      /* f64 ABCD: 4.875 */
        0x1234,                         /* BCD */
        0x0025,                         /* bits: from bit 2 on 9 */
        0x8000,                         /* no sensor */
        0x48ff,                         /* i16 BADC: -184 */
        0xfbff, 0xffff, 0xffff, 0xffff, /* i64 DCBA: -5 */
    };
    memcpy(m->tab_registers, fixed, sizeof fixed);
    m->tab_bits[0] = 1;
    m->tab_input_bits[3] = 1;
    m->tab_input_registers[1] = (uint16_t)unit;
}

static int answer(slave *s, modbus_t *ctx, const uint8_t *request, int n, int unit)
{
    for (int i = 0; i < s->n; i++) {
        if (s->ids[i] != unit)
            continue;
        s->units[i]->tab_input_registers[0]++;
        return modbus_reply(ctx, request, n, s->units[i]);
    }
    return 0;
}

static int serve_tcp(slave *s, const char *port)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_t *ctx = modbus_new_tcp("127.0.0.1", atoi(port));
    int listener = ctx ? modbus_tcp_listen(ctx, 4) : -1;
    if (listener < 0) {
        fprintf(stderr, "modbus_slave: %s\n", modbus_strerror(errno));
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (modbus_tcp_accept(ctx, &listener) >= 0) {
        for (int n; (n = modbus_receive(ctx, request)) >= 0;)
            if (n > 0 && answer(s, ctx, request, n, request[6]) < 0)
                break;
        modbus_close(ctx);
    }
    return 1;
}

/* A slave of the library has one unit, and takes what follows a request for another for that one's
 * answer. So each unit has a context of its own behind a pair of sockets, and gets only what is for
 * it: a request to read, which is eight bytes. */
static modbus_t *behind(int id, int *mine)
{
    int pair[2];
    modbus_t *ctx = modbus_new_rtu("/dev/null", 115200, 'N', 8, 1);
    if (!ctx || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
        modbus_set_socket(ctx, pair[0]) != 0 || modbus_set_slave(ctx, id) != 0)
        return NULL;
    *mine = pair[1];
    return ctx;
}

static bool pass_on(slave *s, modbus_t *ctx, int mine, int line, const uint8_t *request)
{
    uint8_t bytes[MODBUS_RTU_MAX_ADU_LENGTH];
    if (write(mine, request, ASKED) != ASKED)
        return false;
    int n = modbus_receive(ctx, bytes);
    n = n > 0 ? answer(s, ctx, bytes, n, bytes[0]) : 0;
    return n <= 0 || (read(mine, bytes, (size_t)n) == n && write(line, bytes, (size_t)n) == n);
}

static int open_line(const char *link)
{
    int line = posix_openpt(O_RDWR | O_NOCTTY);
    const char *name =
        line >= 0 && grantpt(line) == 0 && unlockpt(line) == 0 ? ptsname(line) : NULL;
    int other = name ? open(name, O_RDWR | O_NOCTTY) : -1; /* held, so that the line stays up */
    struct termios raw;
    if (other < 0 || tcgetattr(other, &raw) != 0)
        return -1;
    cfmakeraw(&raw);
    unlink(link);
    return tcsetattr(other, TCSANOW, &raw) == 0 && symlink(name, link) == 0 ? line : -1;
}

static int serve_pty(slave *s, const char *link)
{
    modbus_t *units[UNITS];
    int mine[UNITS], line = open_line(link);
    for (int i = 0; i < s->n; i++)
        units[i] = behind(s->ids[i], &mine[i]);
    if (line < 0) {
        perror("modbus_slave: pty");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    uint8_t request[ASKED];
    for (size_t had = 0; had <= ASKED;) {
        ssize_t n = read(line, request + had, ASKED - had);
        if (n <= 0)
            return 1;
        had += (size_t)n;
        if (had < ASKED)
            continue;
        had = 0;
        for (int i = 0; i < s->n; i++)
            if (units[i] && request[0] == s->ids[i] &&
                !pass_on(s, units[i], mine[i], line, request))
                return 1;
    }
    return 1;
}

int main(int argc, char **argv)
{
    slave s = {.n = 0};
    if (argc < 4 || argc > 3 + UNITS) {
        fputs("usage: modbus_slave tcp|pty PORT|LINK UNIT…\n", stderr);
        return 2;
    }
    for (int i = 3; i < argc; i++) {
        s.ids[s.n] = atoi(argv[i]);
        s.units[s.n] = modbus_mapping_new(BITS, BITS, REGISTERS, REGISTERS);
        if (!s.units[s.n])
            return 1;
        fill(s.units[s.n], s.ids[s.n]);
        s.n++;
    }
    return strcmp(argv[1], "tcp") == 0 ? serve_tcp(&s, argv[2]) : serve_pty(&s, argv[2]);
}
