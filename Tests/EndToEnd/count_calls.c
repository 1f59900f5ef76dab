// Loaded into a gateway by LD_PRELOAD: counts what it allocates and how often it sends, in the file that COUNT_CALLS
// names, so that a test can read both while it runs.
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

// glibc's own, behind the names that are replaced here.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

struct counts {
    _Atomic unsigned long allocations;
    _Atomic unsigned long sends;
};

static struct counts before_start;
static struct counts *counts = &before_start;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("COUNT_CALLS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *shared = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared != MAP_FAILED) counts = shared;
    close(file);
}

void *malloc(size_t size) {
    counts->allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    counts->allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    counts->allocations++;
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    counts->allocations++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    *result = memalign(alignment, size);
    return *result ? 0 : 12;  // ENOMEM
}

ssize_t send(int socket, const void *bytes, size_t length, int flags) {
    counts->sends++;
    return syscall(SYS_sendto, socket, bytes, length, flags, NULL, 0);
}
