/* SPDX-License-Identifier: Apache-2.0 */
/* steelyard run: the gateway itself; run/ holds its parts. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "run/service.h"

static const char help[] =
    "usage: steelyard run --config FILE [--data DIR] [--clock replay] [--ready-fd N]\n\n"
    "Run the gateway in the foreground, alone on its data folder, until SIGTERM. SIGHUP reads\n"
    "configuration, rules and certificates again; a bad file changes nothing.\n\n"
    "  --config FILE    the configuration (YAML)\n"
    "  --data DIR       the data folder, instead of gateway.data\n"
    "  --clock replay   time moves by the marks of `steelyard replay` only (recordings, tests)\n"
    "  --ready-fd N     write a line to this descriptor once readings are accepted\n\n"
    "Logs go to stderr as logfmt. Exit codes: 0 after a clean end, 1 failed, 2 usage or\n"
    "configuration.\n";

static int wrong(const char *what)
{
    fprintf(stderr, "steelyard run: %s; see steelyard run --help\n", what);
    return 2;
}

static bool parse_fd(const char *text, int *fd)
{
    char *end = NULL;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (errno || end == text || *end || v < 0 || v > 1 << 20)
        return false;
    *fd = (int)v;
    return true;
}

int sy_cmd_run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"data", required_argument, NULL, 'd'},
        {"clock", required_argument, NULL, 'k'},  {"ready-fd", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    sy_service_options o = {.ready_fd = -1};
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            o.config_file = optarg;
            break;
        case 'd':
            o.data = optarg;
            break;
        case 'k':
            o.replay = strcmp(optarg, "replay") == 0;
            if (!o.replay && strcmp(optarg, "wall") != 0)
                return wrong("--clock is wall or replay");
            break;
        case 'r':
            if (!parse_fd(optarg, &o.ready_fd))
                return wrong("--ready-fd takes the number of an open descriptor");
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            return wrong("wrong options");
        }
    }
    if (optind < argc || !o.config_file)
        return wrong(o.config_file ? "too many arguments" : "--config FILE is missing");
    return sy_service_run(&o);
}
