#include "CPeak.h"

// The loops are written out so that the compiler can neither merge nor drop a round.
#define EACH(ROUND) \
  ROUND(0) ROUND(1) ROUND(2) ROUND(3) ROUND(4) ROUND(5) ROUND(6) ROUND(7) ROUND(8) ROUND(9) \
  ROUND(10) ROUND(11)

#if defined(__x86_64__)
#define PEAK(NAME, TARGET, LANES, ROUND) \
  __attribute__((target(TARGET))) double NAME(long count) { \
    typedef float V __attribute__((vector_size(4 * LANES))); \
    V x = (V){1} * 0, s[12]; \
    for (int i = 0; i < 12; i++) s[i] = x; \
    for (long n = 0; n < count; n++) { EACH(ROUND) } \
    for (int i = 0; i < 12; i++) __asm__ volatile("" : : "v"(s[i])); \
    return 2.0 * 12 * LANES * (double)count; \
  }

#define FUSED(I) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(s[I]) : "v"(x));
#define SEPARATE(I) \
  { \
    V product; \
    __asm__ volatile("movaps %2, %1\n mulps %2, %1\n addps %1, %0" \
                     : "+x"(s[I]), "=&x"(product) : "x"(x)); \
  }

PEAK(CPeak_baseline, "sse2", 4, SEPARATE)
PEAK(CPeak_avx2, "avx2,fma", 8, FUSED)
PEAK(CPeak_avx512, "avx512f", 16, FUSED)
#else
double CPeak_baseline(long count) { return 0; }
double CPeak_avx2(long count) { return 0; }
double CPeak_avx512(long count) { return 0; }
#endif
