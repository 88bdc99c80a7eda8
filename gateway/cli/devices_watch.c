/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard devices watch: readings as they are taken, and refusals, until ^C. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/devices_int.h"
#include "control/control.h"

typedef struct watching {
    const sy_config *c;
    bool json;
} watching;

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* The word of a state's value, by the configuration. */
static const char *word_of(const sy_config *c, const json_t *o)
{
    const sy_word *w = sy_vocab_id(c->vocab, sy_span_of(text_of(o, "quantity")));
    double v = json_number_value(json_object_get(o, "state"));
    return w && v >= 0 && v < (double)w->n_values ? w->values[(size_t)v].id : "?";
}

static void print_reading(const sy_config *c, const json_t *o)
{
    char value[40];
    if (json_object_get(o, "state"))
        snprintf(value, sizeof value, "%s", word_of(c, o));
    else
        snprintf(value, sizeof value, "%.10g", json_number_value(json_object_get(o, "value")));
    printf("%s  %-16s %-20s %10s %-6s %s%s\n", text_of(o, "time"), text_of(o, "device"),
           text_of(o, "name"), value, text_of(o, "unit"), text_of(o, "quality"),
           json_is_false(json_object_get(o, "judged")) ? " (too old to be judged)" : "");
}

static bool each(void *ctx, const char *text)
{
    const watching *w = ctx;
    if (strcmp(text, "{\"ok\":true}") == 0)
        return true;
    json_t *o = json_loads(text, 0, NULL);
    if (json_is_false(json_object_get(o, "ok"))) {
        fprintf(stderr, "steelyard devices: the gateway says: %s\n", text_of(o, "error"));
        json_decref(o);
        return false;
    }
    if (w->json)
        puts(text);
    else if (json_object_get(o, "lost"))
        printf("(%lld more were too many to show)\n",
               (long long)json_integer_value(json_object_get(o, "lost")));
    else if (json_object_get(o, "refused"))
        printf("refused: %s from %s: %s (%s)\n", text_of(o, "device"), text_of(o, "peer"),
               text_of(o, "refused"), text_of(o, "detail"));
    else if (o)
        print_reading(w->c, o);
    json_decref(o);
    return fflush(stdout) == 0;
}

int sy_devices_watch(const sy_config *c, const sy_devices_args *a)
{
    char line[100];
    sigset_t stop;
    sy_fail f = {0};
    watching w = {c, a->json};
    if (a->what && !sy_devices_find(c, a->what)) {
        fprintf(stderr, "steelyard devices: %s: there is no device %s\n", c->file, a->what);
        return 2;
    }
    snprintf(line, sizeof line, "watch%s%.64s", a->what ? " " : "", a->what ? a->what : "");
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    int fd = sigprocmask(SIG_BLOCK, &stop, NULL) == 0 ? signalfd(-1, &stop, SFD_CLOEXEC) : -1;
    sy_err e = fd < 0 ? sy_fail_sys(&f, "cannot wait for signals")
                      : sy_control_follow(c->data, line, fd, each, &w, &f);
    if (fd >= 0)
        close(fd);
    if (e)
        fprintf(stderr, "steelyard devices: %s\n", f.text);
    return e ? 1 : 0;
}
