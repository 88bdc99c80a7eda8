/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal: size, ink, and the screen that is drawn again. Escapes are those of ECMA-48. */
#include "cli/term.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/utf8.h"

enum { EVERY_MS = 2000, LEAST_COLUMNS = 20, LEAST_ROWS = 4 };

sy_term sy_term_now(void)
{
    sy_term t = {.columns = 80, .rows = 24};
    struct winsize w;
    const char *plain = getenv("NO_COLOR"), *kind = getenv("TERM");
    t.on = isatty(STDOUT_FILENO) == 1;
    if (t.on && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col && w.ws_row) {
        t.columns = w.ws_col > LEAST_COLUMNS ? w.ws_col : LEAST_COLUMNS;
        t.rows = w.ws_row > LEAST_ROWS ? w.ws_row : LEAST_ROWS;
    }
    t.colour = t.on && !(plain && *plain) && kind && *kind && strcmp(kind, "dumb") != 0;
    return t;
}

sy_ink sy_ink_of_level(const char *level)
{
    return strcmp(level, "major") == 0 || strcmp(level, "serious") == 0 ? SY_INK_RED
           : strcmp(level, "warning") == 0                              ? SY_INK_YELLOW
                                                                        : SY_INK_BLUE;
}

/* What could move the cursor, or turn the writing around, is no text. */
static bool harmless(uint32_t c)
{
    return c >= 0x20 && c != 0x7f && !(c >= 0x80 && c <= 0x9f) && !(c >= 0x200b && c <= 0x200f) &&
           !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff;
}

/* One character as it may be shown; *columns is its width. */
static size_t next_of(sy_span s, size_t at, char out[5], size_t *columns)
{
    uint32_t cp;
    size_t n = sy_utf8_next(s.p + at, s.n - at, &cp);
    bool good = n > 0 && harmless(cp);
    size_t length = sy_utf8_put(good ? cp : '?', out);
    out[length] = 0;
    *columns = sy_utf8_width((sy_span){out, length});
    return n ? n : 1;
}

/* How much of the text fits into so many columns. */
static size_t fit(sy_span s, size_t columns, size_t *used)
{
    char c[5];
    size_t at = 0, w;
    *used = 0;
    while (at < s.n) {
        size_t n = next_of(s, at, c, &w);
        if (*used + w > columns) {
            break;
        }
        *used += w;
        at += n;
    }
    return at;
}

static const char *begin_of(sy_ink ink)
{
    static const char *const codes[] = {"",         "\033[1;31m", "\033[33m", "\033[32m",
                                        "\033[34m", "\033[2m",    "\033[1m"};
    return codes[ink];
}

size_t sy_term_put(const sy_term *t, sy_buf *out, sy_ink ink, const char *text, size_t columns)
{
    sy_span s = sy_span_of(text);
    char c[5];
    size_t used, w, end = fit(s, columns, &used);
    bool cut = end < s.n && columns > 0;
    if (cut) {
        end = fit(s, columns - 1, &used);
    }
    bool inked = t->colour && ink != SY_INK_NONE && s.n;
    sy_buf_text(out, inked ? begin_of(ink) : "");
    for (size_t at = 0; at < end;) {
        at += next_of(s, at, c, &w);
        sy_buf_text(out, c);
    }
    sy_buf_text(out, cut ? "…" : "");
    sy_buf_text(out, inked ? "\033[0m" : "");
    return used + (cut ? 1 : 0);
}

/* ---- the screen ---- */

typedef struct screen {
    struct termios before;
    sigset_t old;
    int signals;
} screen;

static bool open_screen(screen *s)
{
    sigset_t set;
    struct termios quiet;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGWINCH);
    if (tcgetattr(STDIN_FILENO, &s->before) != 0 || sigprocmask(SIG_BLOCK, &set, &s->old) != 0) {
        return false;
    }
    s->signals = signalfd(-1, &set, SFD_CLOEXEC);
    quiet = s->before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    if (s->signals < 0 || tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0) {
        sigprocmask(SIG_SETMASK, &s->old, NULL);
        return false;
    }
    fputs("\033[?1049h\033[?25l", stdout); /* the other screen, without a cursor */
    return true;
}

static void close_screen(screen *s)
{
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
    close(s->signals);
    sigprocmask(SIG_SETMASK, &s->old, NULL);
}

/* Lines, each cleared to its end; the last row stays empty. */
static void show(const sy_term *t, const sy_buf *text)
{
    size_t row = 1;
    fputs("\033[H", stdout);
    for (size_t at = 0; at < text->n && row < t->rows; row++) {
        const char *line = text->p + at, *end = memchr(line, '\n', text->n - at);
        size_t n = end ? (size_t)(end - line) : text->n - at;
        fwrite(line, 1, n, stdout);
        fputs("\033[K\r\n", stdout);
        at += n + 1;
    }
    fputs("\033[J", stdout);
    fflush(stdout);
}

/* True: go on drawing. */
static bool rest(const screen *s)
{
    struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                          {.fd = s->signals, .events = POLLIN}};
    sy_ms end = sy_mono_ms() + EVERY_MS;
    for (sy_ms left = EVERY_MS; left > 0; left = end - sy_mono_ms()) {
        struct signalfd_siginfo i;
        char key = 0;
        if (poll(p, 2, (int)left) <= 0) {
            continue;
        }
        if (p[1].revents && read(s->signals, &i, sizeof i) == (ssize_t)sizeof i) {
            return i.ssi_signo == SIGWINCH;
        }
        if (p[0].revents && (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q')) {
            return false;
        }
    }
    return true;
}

int sy_term_watch(const char *command, bool (*draw)(void *ctx, const sy_term *t, sy_buf *out),
                  void *ctx)
{
    screen s;
    sy_term t = sy_term_now();
    sy_buf out;
    bool good = true;
    if (!t.on || isatty(STDIN_FILENO) != 1 || !open_screen(&s)) {
        fprintf(stderr, "steelyard %s: --watch needs a terminal\n", command);
        return 2;
    }
    sy_buf_init(&out, sy_heap());
    do {
        t = sy_term_now();
        sy_buf_reset(&out);
        good = draw(ctx, &t, &out) && !out.failed;
        if (good) {
            show(&t, &out);
        }
    } while (good && rest(&s));
    close_screen(&s);
    sy_buf_fini(&out);
    return good ? 0 : 1;
}
