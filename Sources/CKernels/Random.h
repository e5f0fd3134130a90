// Random numbers, and what is drawn by them. A part of the table of a kernel set: see CKernels.h.
#ifndef CKERNELS_RANDOM_H
#define CKERNELS_RANDOM_H

#include <stdint.h>

#pragma clang assume_nonnull begin

// Philox4x32-10 of the counter (index of the block, upper half), low words first.
typedef struct CRandom {
  // words[0 ..< 4 * blocks] = the blocks from index `first`
  void (*words)(long blocks, uint64_t first, uint64_t upper, uint64_t key, uint32_t *words);
  // y[i] = x[i] * (word i of the blocks from 0 < threshold ? 0 : scale); y may be x
  void (*dropout)(long count, uint64_t upper, uint64_t key, uint32_t threshold, float scale,
                  const float *x, float *y);
} CRandom;

#pragma clang assume_nonnull end

#endif
