// Reductions of the element types that collectives move. A part of the table of a kernel set: see CKernels.h.
#ifndef CKERNELS_REDUCTIONS_H
#define CKERNELS_REDUCTIONS_H

#include <stdbool.h>

#pragma clang assume_nonnull begin

// How the elements of one type are reduced: y[i] = a[i] op b[i], and z[i] too where there is one;
// each may be a or b. The order of a and b does not show in the result's bits. Elements are aligned
// to their own size. `aheadA` elements of a and `aheadB` of b, these and those that will be reduced
// next, are asked for a page before they are read; 0 for an operand that the caches hold. With
// `streams`, results go past the caches (Streams.h), and y and z are multiples of 16 bytes.
typedef void (*CCombine)(
    long count, long aheadA, long aheadB, const void *a, const void *b, void *y,
    void *_Nullable z, bool streams);
typedef struct CReduction {
  CCombine sum;
  CCombine minimum;
  CCombine maximum;
  CCombine product;
  // y /= divisor, divisor > 0
  void (*divide)(long count, void *y, long divisor);
} CReduction;

#pragma clang assume_nonnull end

#endif
