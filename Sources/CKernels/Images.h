// Convolutions and pooling. A part of the table of a kernel set: see CKernels.h.
#ifndef CKERNELS_IMAGES_H
#define CKERNELS_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// The windows that a kernel sees of an image of `height` x `width` pixels of `channels` floats:
// element (ky, kx, c) of window (oy, ox) is that of pixel (oy * strideY + ky - paddingTop,
// ox * strideX + kx - paddingLeft). What lies outside of the image is zero.
typedef struct CWindows {
  long height, width, channels;
  long kernelHeight, kernelWidth;
  long strideY, strideX;
  long paddingTop, paddingLeft;
  long outputHeight, outputWidth;
} CWindows;

// Over batches of images; windows are counted through the batch.
typedef struct CImages {
  // Floats that `gather` may touch behind its last element, and behind the padded image.
  long slack;
  // block[(i - first) * stride + d - from] = element d of window i, for `rows` windows from `first`
  // on and elements from ..< to; `padded` has room for an image with its padding.
  void (*gather)(const CWindows *windows, long first, long rows, long from, long to,
                 const float *images, float *padded, float *block, long stride);
  // images[...] += what `gather` would have read there, window by window, all elements
  void (*scatter)(const CWindows *windows, long first, long rows, const float *block, long stride,
                  float *images);
  // y = the largest element of each window and channel, NaN above all; places = where in its image
  // it is, the first one of equal ones.
  void (*maximum)(const CWindows *windows, long images, const float *x, float *y, int32_t *places);
  // dx += dy at its place
  void (*maximumGradient)(const CWindows *windows, long images, const int32_t *places,
                          const float *dy, float *dx);
  // y = the mean of those pixels of each window that lie in the image
  void (*average)(const CWindows *windows, long images, const float *x, float *y);
  // dx += its share of dy
  void (*averageGradient)(const CWindows *windows, long images, const float *dy, float *dx);
  // The same as `maximum` for windows of 2 x 2 pixels side by side, without padding; isReLU: the
  // place of what is not positive is -1.
  void (*maximumOfSquares)(const CWindows *windows, long images, const float *x, bool isReLU,
                           float *y, int32_t *places);
  // dx = dy at its place, 0 elsewhere, for windows side by side, without padding.
  void (*maximumOfTilesGradient)(const CWindows *windows, long images, const int32_t *places,
                                 const float *dy, float *dx);
} CImages;

#pragma clang assume_nonnull end

#endif
