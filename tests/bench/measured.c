/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run a command without its output and print its seconds, CPU and largest memory as a line of JSON.
 * (What a large process starts itself is told as at least as large as its parent.)
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_util.h"

int main(int argc, char **argv)
{
    struct rusage u;
    int status = 0;
    double start = bench_now();
    pid_t child = argc > 1 ? fork() : -1;
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(126);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &u) != child) {
        fputs("usage: measured PROGRAM ARGUMENTS…\n", stderr);
        return 2;
    }
    printf("{\"seconds\": %.6f, \"cpu_s\": %.3f, \"rss_kb\": %ld, \"code\": %d}\n",
           bench_now() - start,
           (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
               (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6,
           u.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}
