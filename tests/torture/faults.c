/* A library to preload (LD_PRELOAD) that lets allocations and system calls of a program fail.
 *
 * VGG19_FAULTS names a file with an array of `struct fault`, one for each kind below, which this library
 * maps: calls are counted in it, and whoever writes `first` and `last` decides which calls fail, also while
 * the program runs. faults.py knows the same layout. Child processes count in the same file.
 *
 * With VGG19_FAULTS_TRACE each failure prints from where it was called. */
#define _GNU_SOURCE
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct fault* faults; /* null until the file is mapped, and if there is none */
static int trace;

__attribute__((constructor)) static void open_counters(void) {
    const char* path = getenv("VGG19_FAULTS");
    if (path == NULL) return;
    const size_t bytes = sizeof(struct fault) * number_of_kinds;
    const int descriptor = open(path, O_RDWR | O_CLOEXEC);
    void* mapped =
        descriptor < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (mapped == MAP_FAILED) {
        perror(path);
        _exit(99);
    }
    close(descriptor);
    trace = getenv("VGG19_FAULTS_TRACE") != NULL;
    if (trace) {
        void* first[1];
        backtrace(first, 1); /* loads what it needs now */
    }
    faults = mapped;
}

static void print_trace(void) {
    static const char title[] = "a call fails here:\n";
    void* addresses[40];
    const int count = backtrace(addresses, 40);
    if (write(2, title, sizeof title - 1) < 0) return;
    backtrace_symbols_fd(addresses, count, 2);
}

int fault_due(enum kind kind) {
    struct fault* fault = faults == NULL ? NULL : &faults[kind];
    if (fault == NULL) return 0;
    const uint64_t call = __atomic_add_fetch(&fault->calls, 1, __ATOMIC_RELAXED);
    const uint64_t first = __atomic_load_n(&fault->first, __ATOMIC_RELAXED);
    if (first == 0 || call < first || call > fault->last) return 0;
    __atomic_add_fetch(&fault->failed, 1, __ATOMIC_RELAXED);
    if (trace) {
        struct fault* all = faults;
        faults = NULL; /* what printing calls does not count */
        print_trace();
        faults = all;
    }
    if (fault->error > 0) errno = fault->error;
    return fault->error > 0 ? fault->error : -1;
}
