// The table of a kernel set: what KernelsBaseline, KernelsAVX2 and KernelsAVX512 each fill in, and
// what Kernels calls. It is a C struct so that the kernel sets share a type without sharing a line
// of compiled Swift: code compiled for AVX-512 must never be picked by the linker for everyone.
//
// Matrices are row-major; `stride` is the distance between rows in elements. Outputs may not
// overlap inputs unless a kernel says so. Sizes may be zero.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "Checks.h"
#include "Convolutions.h"
#include "Elementwise.h"
#include "Images.h"
#include "Normalization.h"
#include "Optimizers.h"
#include "Prefetch.h"
#include "Products.h"
#include "Random.h"
#include "Reductions.h"
#include "Sparse.h"
#include "Streams.h"

#pragma clang assume_nonnull begin

// As fast as arithmetic can be: what other kernels are measured by.
typedef struct CPeak {
  // Floats that stay in registers.
  long count;
  // x = x * factor + addend (fused where the CPU has it), on arm64 x = x + factor * addend, for each
  // of the `count`, `steps` times
  void (*multiplyAdd)(long steps, float factor, float addend, float *x);
} CPeak;

typedef struct CKernelTable {
  // y += x
  void (*add)(long count, const float *x, float *y);
  // y *= factor
  void (*scale)(long count, float factor, float *y);
  // y = x * factor
  void (*convertBytes)(long count, const uint8_t *x, float factor, float *y);
  // every row of y += bias
  void (*addBias)(long rows, long columns, const float *bias, float *y);
  // sums[j] = x[0][j] + x[1][j] + ..., in the order of rows, in blocks of 128; up to 16 columns of
  // 256 rows or more: every 32nd row so, then these 32 sums
  void (*sumRows)(long rows, long columns, const float *x, float *sums);

  // y = max(x, 0); NaN stays NaN
  void (*relu)(long count, const float *x, float *y);
  // dx = dy where y > 0, else 0; dx may be dy
  void (*reluGradient)(long count, const float *y, const float *dy, float *dx);
  // rows of y = softmax of rows of x; y may be x
  void (*softmax)(long rows, long columns, const float *x, float *y);
  // dx = y (dy - the row's sum of y dy), y = softmax(x); dx may be dy
  void (*softmaxGradient)(long rows, long columns, const float *y, const float *dy, float *dx);

  // A NaN result is the canonical quiet NaN.
  CReduction float32;
  CReduction float64;
  // Sums and products wrap; quotients are truncated toward zero.
  CReduction int32;
  CReduction int64;

  // y = x, exactly; NaN keeps its sign and payload and, from float16, becomes quiet
  void (*widenFloat16)(long count, const uint16_t *x, float *y);
  void (*widenBfloat16)(long count, const uint16_t *x, float *y);
  // y = x, rounded to nearest, ties to even; NaN becomes the canonical quiet NaN
  void (*narrowFloat16)(long count, const float *x, uint16_t *y);
  void (*narrowBfloat16)(long count, const float *x, uint16_t *y);
  // y = x, past the caches; others see it after CKernels_finishStreams
  void (*stream)(long byteCount, const void *x, void *y);

  CImages images;
  COptimizers optimizers;
  CProducts products;
  CFunctions functions;
  CActivations activations;
  CLosses losses;
  CNormalization normalization;
  CRandom random;
  CSparse sparse;
  CPeak peak;
  CConvolutions convolutions;
  CChecks checks;
} CKernelTable;

#pragma clang assume_nonnull end

#endif
