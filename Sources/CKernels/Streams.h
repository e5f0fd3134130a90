// Stores past the caches: Swift has none of its own. The line that is overwritten is not fetched, and
// none that a cache holds gives way to it.
#ifndef CKERNELS_STREAMS_H
#define CKERNELS_STREAMS_H

#pragma clang assume_nonnull begin

typedef long long CKernels_Sixteen __attribute__((vector_size(16)));
typedef CKernels_Sixteen CKernels_AnySixteen __attribute__((aligned(1)));

// y = x, a multiple of 16 bytes; so is the address of y.
static inline __attribute__((always_inline)) void CKernels_stream(
    long byteCount, const void *x, void *y) {
  for (long i = 0; i < byteCount; i += 16) {
    __builtin_nontemporal_store(
        *(const CKernels_AnySixteen *)((const char *)x + i), (CKernels_Sixteen *)((char *)y + i));
  }
}

// What has been stored so is seen by whoever sees what is stored after this: by itself a store, of
// release too, does not wait for it.
static inline __attribute__((always_inline)) void CKernels_finishStreams(void) {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#else
  __atomic_thread_fence(__ATOMIC_RELEASE);
#endif
}

#pragma clang assume_nonnull end

#endif
