/* Loaded before the C library by a server under test: a disk that keeps only what was synced, and that can be full.
 *
 * After every fsync or fdatasync of a database's file its bytes are copied to NAME.durable; a power cut is a SIGKILL and
 * those copies in place of the files. RIG_FORGETS=-wal: the syncs of files with that ending are answered and do nothing,
 * as if nobody had asked for them. RIG_FULL=PATH: as long as there is a file at PATH, there is no room for a write. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t copying = PTHREAD_MUTEX_INITIALIZER;

static int ends(const char *text, const char *end) {
    size_t length = strlen(text), of_end = strlen(end);
    return length >= of_end && strcmp(text + length - of_end, end) == 0;
}

/* Whether fd is a database's file; its path. */
static int is_kept(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return ends(path, ".db") || ends(path, ".db-wal") || ends(path, "/scans");
}

static void copy(const char *path) {
    char half[PATH_MAX + 16], whole[PATH_MAX + 16];
    snprintf(half, sizeof half, "%s.half", path);
    snprintf(whole, sizeof whole, "%s.durable", path);
    pthread_mutex_lock(&copying);
    int from = open(path, O_RDONLY), to = open(half, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct stat known;
    if (from >= 0 && to >= 0 && fstat(from, &known) == 0) {
        off_t left = known.st_size;
        while (left > 0) {
            ssize_t more = sendfile(to, from, NULL, left);
            if (more <= 0) break;
            left -= more;
        }
        if (left == 0) rename(half, whole);
    }
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    pthread_mutex_unlock(&copying);
}

static int sync_with(const char *name, int fd) {
    char path[PATH_MAX];
    if (!is_kept(fd, path)) return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
    const char *forgets = getenv("RIG_FORGETS");
    if (forgets && *forgets && ends(path, forgets)) return 0;
    /* The copy is what survives, so the real disk need not be waited for. */
    copy(path);
    return 0;
}

int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }

static int has_no_room(int fd) {
    char path[PATH_MAX];
    const char *flag = getenv("RIG_FULL");
    if (!flag || !*flag || access(flag, F_OK) != 0 || !is_kept(fd, path)) return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*next)(int, const void *, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "write");
    return has_no_room(fd) ? -1 : next(fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    static ssize_t (*next)(int, const void *, size_t, off64_t);
    if (!next) next = dlsym(RTLD_NEXT, "pwrite64");
    return has_no_room(fd) ? -1 : next(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}
