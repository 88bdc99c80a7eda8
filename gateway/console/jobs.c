/* SPDX-License-Identifier: Apache-2.0 */
/* A queue, a thread, and one child at a time. */
#include "console/jobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

enum { WHOLE_MS = 120 * 1000, CPU_S = 60, NICE = 10 };
static const rlim_t memory_bytes = (rlim_t)2 << 30;

struct sy_jobs {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    sy_job *first, **last;
    size_t waiting;
    bool stopping;
    int stop_fd;
};

sy_err sy_job_begin(sy_request *r, sy_job **out, sy_fail *f)
{
    sy_job *job = calloc(1, sizeof *job);
    if (!job) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a job");
    }
    sy_arena_init(&job->arena, sy_heap(), 0);
    sy_buf_init(&job->out, sy_heap());
    job->mhd = r->mhd;
    job->exit = -1;
    r->job = *out = job;
    return SY_OK;
}

void sy_job_word(sy_job *job, const char *word)
{
    if (job->n < SY_JOB_WORDS) {
        job->word[job->n++] = word;
    }
}

sy_err sy_job_file(sy_job *job, const char *name, sy_span text, const char **path, sy_fail *f)
{
    if (!job->dir[0]) {
        snprintf(job->dir, sizeof job->dir, "/tmp/steelyard-job-XXXXXX");
        if (!mkdtemp(job->dir)) {
            job->dir[0] = 0;
            return sy_fail_sys(f, "no folder for a job in /tmp");
        }
    }
    size_t n = strlen(job->dir) + strlen(name) + 2;
    char *p = sy_arena_get(&job->arena, n);
    if (!p) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a job");
    }
    snprintf(p, n, "%s/%s", job->dir, name);
    *path = p;
    return sy_file_write(p, text, 0600, f);
}

static void remove_folder(const char *dir)
{
    DIR *d = dir[0] ? opendir(dir) : NULL;
    for (struct dirent *x; d && (x = readdir(d)) != NULL;) {
        if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0) {
            unlinkat(dirfd(d), x->d_name, 0);
        }
    }
    if (d) {
        closedir(d);
        rmdir(dir);
    }
}

void sy_job_free(sy_job *job)
{
    if (job) {
        remove_folder(job->dir);
        sy_buf_fini(&job->out);
        sy_arena_fini(&job->arena);
        free(job);
    }
}

sy_err sy_job_start(sy_request *r, sy_fail *f)
{
    sy_jobs *j = r->console->jobs;
    sy_job *job = r->job;
    sy_err e = SY_OK;
    pthread_mutex_lock(&j->lock);
    if (j->stopping || j->waiting >= SY_JOBS || job->n == SY_JOB_WORDS) {
        e = sy_fail_set(f, SY_E_AGAIN, "others wait for the same; try again in a while");
    } else {
        MHD_suspend_connection(r->mhd);
        *j->last = job;
        j->last = &job->next;
        j->waiting++;
        pthread_cond_signal(&j->more);
    }
    pthread_mutex_unlock(&j->lock);
    return e;
}

/* ---- the worker ---- */

static void limit(pid_t pid)
{
    const struct rlimit memory = {memory_bytes, memory_bytes}, cpu = {CPU_S, CPU_S},
                        file = {SY_JOB_OUT, SY_JOB_OUT}, core = {0, 0};
    /* What fails here is a child that is gone already. */
    (void)prlimit(pid, RLIMIT_AS, &memory, NULL);
    (void)prlimit(pid, RLIMIT_CPU, &cpu, NULL);
    (void)prlimit(pid, RLIMIT_FSIZE, &file, NULL);
    (void)prlimit(pid, RLIMIT_CORE, &core, NULL);
    (void)setpriority(PRIO_PROCESS, (id_t)pid, NICE);
}

static int spawn(const sy_job *job, int out, int err, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none;
    char *argv[SY_JOB_WORDS + 2] = {(char *)(uintptr_t) "steelyard"};
    char *env[] = {(char *)(uintptr_t) "LC_ALL=C.UTF-8", (char *)(uintptr_t) "PATH=/usr/bin:/bin",
                   NULL};
    for (size_t i = 0; i < job->n; i++) {
        argv[i + 1] = (char *)(uintptr_t)job->word[i];
    }
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&how, &none); /* ours are blocked for the signalfd */
    int rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, out, 1);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, err, 2);
    rc = rc ? rc : posix_spawn(pid, "/proc/self/exe", &files, &how, argv, env);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return rc;
}

/* Until it ends, its time is up, or the console stops; its exit code, -1: it was ended. */
static int wait_for(sy_jobs *j, sy_job *job, pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
    struct pollfd p[2] = {{fd, POLLIN, 0}, {j->stop_fd, POLLIN, 0}};
    int n;
    do {
        n = poll(p, 2, WHOLE_MS);
    } while (n < 0 && errno == EINTR);
    if (!(p[0].revents & POLLIN)) {
        snprintf(job->why, sizeof job->why, "%s",
                 n == 0 ? "it took too long" : "the console stops");
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (fd >= 0) {
        close(fd);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int temporary(void)
{
    return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static void read_back(int fd, size_t most, sy_buf *out)
{
    char room[65536];
    off_t at = 0;
    for (ssize_t n; out->n < most && (n = pread(fd, room, sizeof room, at)) > 0; at += n) {
        sy_buf_put(out, room, (size_t)n);
    }
}

static void run_job(sy_jobs *j, sy_job *job)
{
    int out = temporary(), err = temporary(), rc = out < 0 || err < 0 ? errno : 0;
    pid_t pid = 0;
    rc = rc ? rc : spawn(job, out, err, &pid);
    if (rc) {
        snprintf(job->why, sizeof job->why, "it could not be started: %s", strerror(rc));
    } else {
        limit(pid);
        job->exit = wait_for(j, job, pid);
        read_back(out, SY_JOB_OUT, &job->out);
        sy_buf said;
        sy_buf_init(&said, sy_heap());
        read_back(err, 4096, &said);
        if (!job->why[0] && said.n && !said.failed) {
            snprintf(job->why, sizeof job->why, "%.300s", said.p);
        } else if (!job->why[0] && job->exit < 0) {
            snprintf(job->why, sizeof job->why, "it needed more memory or time than it may have");
        }
        sy_buf_fini(&said);
    }
    if (out >= 0) {
        close(out);
    }
    if (err >= 0) {
        close(err);
    }
}

static void *work(void *arg)
{
    sy_jobs *j = arg;
    sy_thread_name("sy-console-job");
    pthread_mutex_lock(&j->lock);
    for (;;) {
        while (!j->first && !j->stopping) {
            pthread_cond_wait(&j->more, &j->lock);
        }
        sy_job *job = j->first;
        if (!job) {
            break;
        }
        j->first = job->next;
        j->last = j->first ? j->last : &j->first;
        bool stopping = j->stopping;
        pthread_mutex_unlock(&j->lock);
        if (stopping) {
            snprintf(job->why, sizeof job->why, "the console stops");
        } else {
            run_job(j, job);
        }
        struct MHD_Connection *mhd = job->mhd;
        job->done = true;
        MHD_resume_connection(mhd); /* the job is the request's again */
        pthread_mutex_lock(&j->lock);
        j->waiting--;
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

sy_err sy_jobs_open(sy_jobs **out, sy_fail *f)
{
    sy_jobs *j = calloc(1, sizeof *j);
    if (!j) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for jobs");
    }
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->more, NULL);
    j->last = &j->first;
    j->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    errno = j->stop_fd < 0 ? errno : pthread_create(&j->thread, NULL, work, j);
    if (errno) {
        sy_err e = sy_fail_sys(f, "no thread for jobs");
        if (j->stop_fd >= 0) {
            close(j->stop_fd);
        }
        free(j);
        return e;
    }
    *out = j;
    return SY_OK;
}

void sy_jobs_stop(sy_jobs *j)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&j->lock);
    j->stopping = true;
    (void)!write(j->stop_fd, &one, sizeof one);
    pthread_cond_signal(&j->more);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
}

void sy_jobs_close(sy_jobs *j)
{
    if (j) {
        close(j->stop_fd);
        pthread_cond_destroy(&j->more);
        pthread_mutex_destroy(&j->lock);
        free(j);
    }
}
