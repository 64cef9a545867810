/* Functions of the C library that call the kernel. What the C library calls inside itself (stdio's writes) is
 * not seen here. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "faults.h"

/* The function of that name behind this library. */
#define NEXT(name)                                                                             \
    static __typeof__(name)* next;                                                             \
    if (__atomic_load_n(&next, __ATOMIC_RELAXED) == NULL) {                                    \
        __atomic_store_n(&next, (__typeof__(name)*)dlsym(RTLD_NEXT, #name), __ATOMIC_RELAXED); \
    }

/* A function that fails with `failure` or is called. */
#define CALL(kind, result, failure, name, parameters, arguments) \
    result name parameters {                                     \
        NEXT(name)                                               \
        if (fault_due(kind)) return failure;                     \
        return next arguments;                                   \
    }

/* A function that returns an error's number instead of setting errno. */
#define CALL_RETURNING_ERROR(kind, otherwise, name, parameters, arguments) \
    int name parameters {                                                  \
        NEXT(name)                                                         \
        const int error = fault_due(kind);                                 \
        if (error) return error > 0 ? error : otherwise;                   \
        return next arguments;                                             \
    }

/* A function that transfers `bytes`, or fewer. Nobody is asked for nothing, which would mean the end. */
#define TRANSFER(kind, name, parameters, bytes, arguments)   \
    ssize_t name parameters {                                \
        NEXT(name)                                           \
        const int error = fault_due(kind);                   \
        if (error > 0) return -1;                            \
        if (error < 0 && (bytes) > 1) (bytes) = (bytes) / 2; \
        return next arguments;                               \
    }

/* A function with an optional mode. */
#define OPEN(name, parameters, arguments)         \
    int name parameters {                         \
        NEXT(name)                                \
        va_list list;                             \
        va_start(list, flags);                    \
        const mode_t mode = va_arg(list, mode_t); \
        va_end(list);                             \
        if (fault_due(open_file)) return -1;      \
        return next arguments;                    \
    }

OPEN(open, (const char* path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char* path, int flags, ...), (path, flags, mode))
OPEN(openat, (int folder, const char* path, int flags, ...), (folder, path, flags, mode))
OPEN(openat64, (int folder, const char* path, int flags, ...), (folder, path, flags, mode))
CALL(open_file, FILE*, NULL, fopen, (const char* path, const char* mode), (path, mode))
CALL(open_file, FILE*, NULL, fopen64, (const char* path, const char* mode), (path, mode))
CALL(open_file, int, -1, mkstemp, (char* pattern), (pattern))
CALL(open_file, int, -1, mkstemp64, (char* pattern), (pattern))

TRANSFER(read_file, read, (int file, void* data, size_t bytes), bytes, (file, data, bytes))
TRANSFER(read_file, pread, (int file, void* data, size_t bytes, off_t at), bytes, (file, data, bytes, at))
TRANSFER(read_file, pread64, (int file, void* data, size_t bytes, off64_t at), bytes, (file, data, bytes, at))
TRANSFER(read_file, readv, (int file, const struct iovec* parts, int count), count, (file, parts, count))
TRANSFER(write_file, write, (int file, const void* data, size_t bytes), bytes, (file, data, bytes))
TRANSFER(write_file, pwrite, (int file, const void* data, size_t bytes, off_t at), bytes,
         (file, data, bytes, at))
TRANSFER(write_file, pwrite64, (int file, const void* data, size_t bytes, off64_t at), bytes,
         (file, data, bytes, at))
TRANSFER(write_file, writev, (int file, const struct iovec* parts, int count), count, (file, parts, count))
TRANSFER(write_file, sendfile, (int to, int from, off_t* at, size_t bytes), bytes, (to, from, at, bytes))
TRANSFER(write_file, sendfile64, (int to, int from, off64_t* at, size_t bytes), bytes, (to, from, at, bytes))
TRANSFER(receive_data, recv, (int file, void* data, size_t bytes, int flags), bytes,
         (file, data, bytes, flags))
TRANSFER(send_data, send, (int file, const void* data, size_t bytes, int flags), bytes,
         (file, data, bytes, flags))

CALL(sync_file, int, -1, fsync, (int file), (file))
CALL(sync_file, int, -1, fdatasync, (int file), (file))
CALL(rename_file, int, -1, rename, (const char* from, const char* to), (from, to))
CALL(rename_file, int, -1, renameat, (int a, const char* from, int b, const char* to), (a, from, b, to))
CALL(rename_file, int, -1, renameat2, (int a, const char* from, int b, const char* to, unsigned flags),
     (a, from, b, to, flags))
CALL(rename_file, int, -1, link, (const char* from, const char* to), (from, to))
CALL(rename_file, int, -1, linkat, (int a, const char* from, int b, const char* to, int flags),
     (a, from, b, to, flags))

CALL(status_of_file, int, -1, stat, (const char* path, struct stat* status), (path, status))
CALL(status_of_file, int, -1, stat64, (const char* path, struct stat64* status), (path, status))
CALL(status_of_file, int, -1, lstat, (const char* path, struct stat* status), (path, status))
CALL(status_of_file, int, -1, lstat64, (const char* path, struct stat64* status), (path, status))
CALL(status_of_file, int, -1, fstat, (int file, struct stat* status), (file, status))
CALL(status_of_file, int, -1, fstat64, (int file, struct stat64* status), (file, status))
CALL(status_of_file, int, -1, fstatat, (int folder, const char* path, struct stat* status, int flags),
     (folder, path, status, flags))
CALL(status_of_file, int, -1, fstatat64, (int folder, const char* path, struct stat64* status, int flags),
     (folder, path, status, flags))

CALL(remove_file, int, -1, unlink, (const char* path), (path))
CALL(remove_file, int, -1, unlinkat, (int folder, const char* path, int flags), (folder, path, flags))
CALL(remove_file, int, -1, remove, (const char* path), (path))
CALL(resize_file, int, -1, ftruncate, (int file, off_t bytes), (file, bytes))
CALL(resize_file, int, -1, ftruncate64, (int file, off64_t bytes), (file, bytes))
CALL_RETURNING_ERROR(resize_file, EIO, posix_fallocate, (int file, off_t at, off_t bytes), (file, at, bytes))
CALL_RETURNING_ERROR(resize_file, EIO, posix_fallocate64, (int file, off64_t at, off64_t bytes),
                     (file, at, bytes))
CALL(list_folder, DIR*, NULL, opendir, (const char* path), (path))
CALL(list_folder, DIR*, NULL, fdopendir, (int folder), (folder))
CALL(list_folder, struct dirent*, NULL, readdir, (DIR * folder), (folder))
CALL(list_folder, struct dirent64*, NULL, readdir64, (DIR * folder), (folder))
CALL(list_folder, int, -1, mkdir, (const char* path, mode_t mode), (path, mode))

/* The file is closed all the same, as Linux does. */
int close(int file) {
    NEXT(close)
    const int error = fault_due(close_file);
    const int result = next(file);
    if (!error) return result;
    errno = error > 0 ? error : EIO;
    return -1;
}

/* Memory without a file counts as an allocation. */
#define MAP(name, offset_type)                                                                    \
    void* name(void* at, size_t bytes, int protection, int flags, int file, offset_type offset) { \
        NEXT(name)                                                                                \
        if (fault_due((flags & MAP_ANONYMOUS) ? allocation : map_file)) return MAP_FAILED;        \
        return next(at, bytes, protection, flags, file, offset);                                  \
    }
MAP(mmap, off_t)
MAP(mmap64, off64_t)

CALL_RETURNING_ERROR(create_thread, EAGAIN, pthread_create,
                     (pthread_t * thread, const pthread_attr_t* attributes, void* (*run)(void*), void* data),
                     (thread, attributes, run, data))

CALL(accept_connection, int, -1, accept, (int listener, struct sockaddr* address, socklen_t* bytes),
     (listener, address, bytes))
CALL(accept_connection, int, -1, accept4,
     (int listener, struct sockaddr* address, socklen_t* bytes, int flags), (listener, address, bytes, flags))
CALL(receive_data, ssize_t, -1, recvmsg, (int file, struct msghdr* message, int flags),
     (file, message, flags))
CALL(send_data, ssize_t, -1, sendmsg, (int file, const struct msghdr* message, int flags),
     (file, message, flags))
CALL(wait_for_events, int, -1, poll, (struct pollfd * files, nfds_t count, int patience),
     (files, count, patience))
CALL(wait_for_events, int, -1, epoll_wait, (int file, struct epoll_event* events, int most, int patience),
     (file, events, most, patience))
CALL(create_descriptor, int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol))
CALL(create_descriptor, int, -1, eventfd, (unsigned start, int flags), (start, flags))
CALL(create_descriptor, int, -1, timerfd_create, (int clock, int flags), (clock, flags))
CALL(create_descriptor, int, -1, epoll_create1, (int flags), (flags))
CALL(create_descriptor, int, -1, pipe, (int files[2]), (files))
CALL(create_descriptor, int, -1, pipe2, (int files[2], int flags), (files, flags))
CALL(create_descriptor, int, -1, setsockopt,
     (int file, int level, int name, const void* value, socklen_t bytes), (file, level, name, value, bytes))
CALL(create_descriptor, int, -1, epoll_ctl, (int file, int operation, int other, struct epoll_event* event),
     (file, operation, other, event))

CALL(start_process, pid_t, -1, fork, (void), ())
CALL_RETURNING_ERROR(start_process, EAGAIN, posix_spawn,
                     (pid_t * child, const char* path, const posix_spawn_file_actions_t* actions,
                      const posix_spawnattr_t* attributes, char* const* arguments, char* const* environment),
                     (child, path, actions, attributes, arguments, environment))
CALL_RETURNING_ERROR(start_process, EAGAIN, posix_spawnp,
                     (pid_t * child, const char* path, const posix_spawn_file_actions_t* actions,
                      const posix_spawnattr_t* attributes, char* const* arguments, char* const* environment),
                     (child, path, actions, attributes, arguments, environment))
