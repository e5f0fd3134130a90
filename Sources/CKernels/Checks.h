// What watches over numbers without changing them. A part of the table of a kernel set: see CKernels.h.
#ifndef CKERNELS_CHECKS_H
#define CKERNELS_CHECKS_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct CChecks {
  // Whether no element is NaN or an infinity.
  bool (*isFinite)(long count, const float *x);
  // s = (s ^ bits of x[i]) * 0x9e3779b1, modulo 2^32; s = s ^ s >> 15, with s = state[i % 64]
  void (*hash)(long count, const float *x, uint32_t *state);
} CChecks;

#pragma clang assume_nonnull end

#endif
