#include "CAllocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

// A sanitizer's allocator is not replaced.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ALLOCATIONS_ARE_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(ALLOCATIONS_ARE_SANITIZED)

// What the C library's own functions are called when theirs have been replaced. `free` stays.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static _Thread_local unsigned long count;
static atomic_ulong countOfAll;

static void note(void) {
  count++;
  atomic_fetch_add_explicit(&countOfAll, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  note();
  return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
  note();
  return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void *result = memalign(alignment, size);
  if (result == NULL) return ENOMEM;
  *block = result;
  return 0;
}

bool CAllocations_areCounted(void) { return true; }
unsigned long CAllocations_count(void) { return count; }
unsigned long CAllocations_countOfAllThreads(void) { return atomic_load(&countOfAll); }

#else

bool CAllocations_areCounted(void) { return false; }
unsigned long CAllocations_count(void) { return 0; }
unsigned long CAllocations_countOfAllThreads(void) { return 0; }

#endif
