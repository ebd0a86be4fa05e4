/* Loaded before the C library by a program under test: a disk that keeps only what was synced, and that can be full.
 *
 * RIG_DISK is a folder: the disk. RIG_KEPT is a folder outside of it: what survives. A sync of a file brings its bytes
 * there, page by page, and its name, as Linux's file systems do; a sync of a folder brings the names in it and takes away
 * those that are gone. Nothing else gets there, and sync_file_range promises nothing here either. The power is cut by
 * moving RIG_KEPT away: from that moment nothing more survives, and whoever tries to sync is dead instead of being told
 * that it worked. Processes that share a disk take turns (RIG_KEPT.lock), so that what one synced later is never written
 * over with what another read earlier.
 *
 * RIG_FORGETS=-wal: the syncs of files with that ending are answered and do nothing, as if nobody had asked for them.
 * RIG_FULL=PATH: as long as there is a file at PATH, there is no room for a write. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
#define MANY 16

static const char *setting(const char *name) {
    const char *text = getenv(name);
    return text && *text ? text : NULL;
}

static int ends(const char *text, const char *end) {
    size_t length = strlen(text), of_end = strlen(end);
    return length >= of_end && strcmp(text + length - of_end, end) == 0;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Where what survives of the open file fd has its place; 0 if fd is not on the disk. */
static int place_of(int fd, char *place) {
    const char *disk = setting("RIG_DISK"), *kept = setting("RIG_KEPT");
    if (!disk || !kept) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    size_t of_disk = strlen(disk);
    if (strncmp(path, disk, of_disk) != 0 || (path[of_disk] != '/' && path[of_disk])) return 0;
    if (ends(path, " (deleted)")) return 0;
    return snprintf(place, PATH_MAX, "%s%s", kept, path + of_disk) < PATH_MAX;
}

/* Makes the folders above a place, but never RIG_KEPT itself. */
static void make_way(char *place) {
    size_t root = strlen(setting("RIG_KEPT"));
    for (char *slash = strchr(place + root + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(place, 0700);
        *slash = '/';
    }
}

static ssize_t write_at(int fd, const void *bytes, size_t count, off64_t at) {
    static ssize_t (*next)(int, const void *, size_t, off64_t);
    if (!next) next = dlsym(RTLD_NEXT, "pwrite64");
    return next(fd, bytes, count, at);
}

/* Brings the pages that differ. */
static void keep_bytes(int fd, const struct stat *known, char *place) {
    char link[64], now[PAGE * MANY], before[PAGE * MANY];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int from = open(link, O_RDONLY | O_CLOEXEC);
    int to = open(place, O_RDWR | O_CREAT | O_CLOEXEC, known->st_mode & 0777);
    if (to < 0 && errno == ENOENT) {
        make_way(place);
        to = open(place, O_RDWR | O_CREAT | O_CLOEXEC, known->st_mode & 0777);
    }
    if (from < 0 || to < 0) die();
    off64_t at = 0;
    for (ssize_t read; (read = pread(from, now, sizeof now, at)) > 0; at += read) {
        ssize_t old = pread(to, before, sizeof before, at);
        for (ssize_t page = 0; page < read; page += PAGE) {
            ssize_t length = read - page < PAGE ? read - page : PAGE;
            if (page + length <= old && memcmp(now + page, before + page, length) == 0) continue;
            if (write_at(to, now + page, length, at + page) != length) die();
        }
    }
    if (ftruncate(to, at) != 0) die();
    close(from);
    close(to);
}

static int is_folder(const char *path) {
    struct stat known;
    return lstat(path, &known) == 0 && S_ISDIR(known.st_mode);
}

/* Brings new names, empty: bytes come with a sync of the file. Takes away names that are gone. */
static void keep_names(int fd, char *place) {
    char link[64], one[PATH_MAX + 300], other[PATH_MAX + 300];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    make_way(place);
    if (mkdir(place, 0700) != 0 && errno != EEXIST) die();
    DIR *real = opendir(link), *kept = opendir(place);
    if (!real || !kept) die();
    for (struct dirent *entry; (entry = readdir(kept));) {
        snprintf(one, sizeof one, "%s/%s", link, entry->d_name);
        snprintf(other, sizeof other, "%s/%s", place, entry->d_name);
        if (access(one, F_OK) != 0 && unlink(other) != 0) rmdir(other);
    }
    rewinddir(real);
    for (struct dirent *entry; (entry = readdir(real));) {
        snprintf(one, sizeof one, "%s/%s", link, entry->d_name);
        snprintf(other, sizeof other, "%s/%s", place, entry->d_name);
        if (is_folder(one)) mkdir(other, 0700);
        else close(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    closedir(real);
    closedir(kept);
}

static int sync_with(const char *name, int fd) {
    char place[PATH_MAX], lock[PATH_MAX];
    struct stat known;
    if (!place_of(fd, place) || fstat(fd, &known) != 0) return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
    const char *forgets = setting("RIG_FORGETS"), *kept = setting("RIG_KEPT");
    if (forgets && ends(place, forgets)) return 0;
    snprintf(lock, sizeof lock, "%s.lock", kept);
    int turn = open(lock, O_RDWR | O_CLOEXEC);
    if (turn < 0 || flock(turn, LOCK_EX) != 0 || access(kept, F_OK) != 0) die();
    if (S_ISDIR(known.st_mode)) keep_names(fd, place);
    else if (S_ISREG(known.st_mode)) keep_bytes(fd, &known, place);
    if (access(kept, F_OK) != 0) die();
    close(turn);
    /* The copy is what survives, so the real disk need not be waited for. */
    return 0;
}

int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }

static int has_no_room(int fd) {
    char place[PATH_MAX];
    const char *flag = setting("RIG_FULL");
    if (!flag || access(flag, F_OK) != 0 || !place_of(fd, place)) return 0;
    errno = ENOSPC;
    return 1;
}

/* What is appended may be cut off anywhere, as on a real disk. */
ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*next)(int, const void *, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "write");
    if (!has_no_room(fd)) return next(fd, bytes, count);
    return count > 1 ? next(fd, bytes, count / 2) : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    return has_no_room(fd) ? -1 : write_at(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}
