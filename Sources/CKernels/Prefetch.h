// Memory that will soon be read is asked for: Swift has no prefetch of its own. Nothing is waited for,
// and an address need not be anybody's.
#ifndef CKERNELS_PREFETCH_H
#define CKERNELS_PREFETCH_H

#pragma clang assume_nonnull begin

// The cache line at `address`, for the first-level cache.
static inline __attribute__((always_inline)) void CKernels_prefetch(const void *address) {
  __builtin_prefetch(address);
}

// The same, for the second-level cache.
static inline __attribute__((always_inline)) void CKernels_prefetchFar(const void *address) {
  __builtin_prefetch(address, 0, 2);
}

#pragma clang assume_nonnull end

#endif
