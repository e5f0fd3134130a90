// Convolutions that read an image where it lies, without gathering patches. A part of the table of a
// kernel set: see CKernels.h.
#ifndef CKERNELS_CONVOLUTIONS_H
#define CKERNELS_CONVOLUTIONS_H

#include <stdbool.h>

#include "Images.h"

#pragma clang assume_nonnull begin

// An image at a time. Where it is padded, `padded` has it with its padding, row below row, `stride`
// floats apart, and a float more.
//
// Pairs are for few filters, lanes / 2 at most: a vector holds two numbers of each, filter f's in
// lanes 2 f and 2 f + 1.
typedef struct CConvolutions {
  // Writes the image's pixels to where they lie in `padded`; leaves the padding as it is.
  void (*pad)(const CWindows *windows, const float *image, float *padded, long stride);

  // A row of an image's gradient, the sum of a row of windows: element (kx, c) of window i is
  // block[i * blockStride + kx * channels + c]. In front of each window are as many zeros as a vector
  // has lanes, and behind it as many floats of any value.
  void (*addWindows)(const CWindows *windows, const float *block, long blockStride, float *row);

  // pairs[d * lanes + 2 f], and the lane behind, = w[d * filters + f]; 0 beyond the last filter.
  void (*packPairs)(long depth, long filters, const float *w, float *pairs);
  // y = start + the image's patches times the pairs, for one channel and a horizontal stride of 1;
  // each sum is a chain in the order of the window. `start` is a vector of pairs. `room` is how many
  // floats of y there are, this image's first; those of later images may be overwritten.
  void (*multiplyPairs)(const CWindows *windows, const float *padded, long stride, long filters,
                        const float *pairs, const float *start, bool isReLU, float *y, long room);
  // Continues the sums of patches times dy over the image's windows, in their order: a vector for
  // every two elements of each row of the window. dy is read for lanes / 2 filters.
  void (*addPairs)(const CWindows *windows, const float *padded, long stride, long filters,
                   const float *dy, float *sums);
  // dw = the sums, a row for each element of the window.
  void (*unpackPairs)(const CWindows *windows, long filters, const float *sums, float *dw);
} CConvolutions;

#pragma clang assume_nonnull end

#endif
