/* Allocations. glibc exports its own functions under a second name, so that nothing has to be looked up,
 * which would allocate. operator new calls malloc or aligned_alloc. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "faults.h"

extern void* __libc_malloc(size_t bytes);
extern void* __libc_calloc(size_t count, size_t bytes);
extern void* __libc_realloc(void* memory, size_t bytes);
extern void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
    return fault_due(allocation) ? NULL : __libc_malloc(bytes);
}

void* calloc(size_t count, size_t bytes) {
    return fault_due(allocation) ? NULL : __libc_calloc(count, bytes);
}

void* realloc(void* memory, size_t bytes) {
    /* Freeing and making smaller do not fail. */
    if (bytes > 0 && (memory == NULL || bytes > malloc_usable_size(memory)) && fault_due(allocation))
        return NULL;
    return __libc_realloc(memory, bytes);
}

void* memalign(size_t alignment, size_t bytes) {
    return fault_due(allocation) ? NULL : __libc_memalign(alignment, bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) {
    return memalign(alignment, bytes);
}

int posix_memalign(void** memory, size_t alignment, size_t bytes) {
    if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void* result = memalign(alignment, bytes);
    if (result == NULL) return ENOMEM;
    *memory = result;
    return 0;
}
