// Sparse rows. A part of the table of a kernel set: see CKernels.h.
#ifndef CKERNELS_SPARSE_H
#define CKERNELS_SPARSE_H

#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct CSparse {
  // sums = the sum over k < count of values[k] * rows[indices[k]], in the order of k
  void (*sumScaledRows)(long count, long columns, const int32_t *indices, const float *values,
                        const float *rows, float *sums);
} CSparse;

#pragma clang assume_nonnull end

#endif
