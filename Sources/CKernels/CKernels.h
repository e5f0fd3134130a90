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

#pragma clang assume_nonnull begin

// How the elements of one type are reduced: y[i] = a[i] op b[i], where y may be a or b. The order
// of a and b does not show in the result's bits. Elements are aligned to their own size.
typedef void (*CCombine)(long count, const void *a, const void *b, void *y);
typedef struct CReduction {
  CCombine sum;
  CCombine minimum;
  CCombine maximum;
  CCombine product;
  // y /= divisor, divisor > 0
  void (*divide)(long count, void *y, long divisor);
} CReduction;

// y[i] = f(x[i]); y may be x.
typedef struct CFunctions {
  void (*exponential)(long count, const float *x, float *y);
  void (*logarithm)(long count, const float *x, float *y);
  void (*tanh)(long count, const float *x, float *y);
  void (*erf)(long count, const float *x, float *y);
  // 1 / (1 + e^-x)
  void (*sigmoid)(long count, const float *x, float *y);
  // log(1 + e^x)
  void (*softplus)(long count, const float *x, float *y);
} CFunctions;

// y may be x, and dx any operand.
typedef struct CActivations {
  // y = x where x >= 0, else slope * x
  void (*leakyReLU)(long count, float slope, const float *x, float *y);
  // dx = dy where x > 0, else slope * dy
  void (*leakyReLUGradient)(long count, float slope, const float *x, const float *dy, float *dx);
  // y = x P(x), P the distribution of a standard normal variable
  void (*gelu)(long count, const float *x, float *y);
  void (*geluGradient)(long count, const float *x, const float *dy, float *dx);
  // By the outputs y of the forward function.
  void (*sigmoidGradient)(long count, const float *y, const float *dy, float *dx);
  void (*tanhGradient)(long count, const float *y, const float *dy, float *dx);
} CActivations;

// losses[i] = a row's loss, and dx its gradient; dx may be x. Those with targets, one a column, are
// means over a row's columns; KernelSet+Losses.swift has the formulas.
typedef struct CLosses {
  // The target of `label` is 1 - smoothing, and smoothing / columns is added to all targets.
  void (*softmaxCrossEntropy)(long rows, long columns, const float *x, const int32_t *labels,
                              float smoothing, float *losses, float *dx);
  void (*squaredError)(long rows, long columns, const float *x, const float *targets,
                       float *losses, float *dx);
  void (*absoluteError)(long rows, long columns, const float *x, const float *targets,
                        float *losses, float *dx);
  void (*huber)(long rows, long columns, float delta, const float *x, const float *targets,
                float *losses, float *dx);
  // Of sigmoid(x).
  void (*binaryCrossEntropy)(long rows, long columns, const float *x, const float *targets,
                             float *losses, float *dx);
  void (*hinge)(long rows, long columns, const float *x, const float *targets, float *losses,
                float *dx);
  void (*multiClassHinge)(long rows, long columns, const float *x, const int32_t *labels,
                          float *losses, float *dx);
} CLosses;

// y = (x - mean) * scale * gain + bias, where means and scales belong to rows (layer normalization)
// or to columns (batch normalization), gain and bias to columns. y may be x, and dx may be dy.
typedef struct CNormalization {
  // Writes the means and scales = 1 / sqrt(variance + epsilon) that it finds.
  void (*normalizeRows)(long rows, long columns, float epsilon, const float *x, const float *gain,
                        const float *bias, float *y, float *means, float *scales);
  void (*normalizeRowsGradient)(long rows, long columns, const float *x, const float *dy,
                                const float *means, const float *scales, const float *gain,
                                float *dx);
  // sums[j] = the sum over i of dy[i][j] (x[i][j] - means[i]) scales[i]
  void (*sumRowProducts)(long rows, long columns, const float *x, const float *dy,
                         const float *means, const float *scales, float *sums);

  // sums[j] = the sum over i of (x[i][j] - means[j])^2
  void (*sumColumnSquares)(long rows, long columns, const float *x, const float *means,
                           float *sums);
  void (*normalizeColumns)(long rows, long columns, const float *x, const float *means,
                           const float *scales, const float *gain, const float *bias, float *y);
  // `count` rows, these among them, have the means, and the sums dgain and dbias.
  void (*normalizeColumnsGradient)(long rows, long columns, long count, const float *x,
                                   const float *dy, const float *means, const float *scales,
                                   const float *gain, const float *dgain, const float *dbias,
                                   float *dx);
  // sums[j] = the sum over i of dy[i][j] (x[i][j] - means[j]) scales[j]
  void (*sumColumnProducts)(long rows, long columns, const float *x, const float *dy,
                            const float *means, const float *scales, float *sums);
} CNormalization;

// Philox4x32-10 of the counter (index of the block, upper half), low words first.
typedef struct CRandom {
  // words[0 ..< 4 * blocks] = the blocks from index `first`
  void (*words)(long blocks, uint64_t first, uint64_t upper, uint64_t key, uint32_t *words);
  // y[i] = x[i] * (word i of the blocks from 0 < threshold ? 0 : scale); y may be x
  void (*dropout)(long count, uint64_t upper, uint64_t key, uint32_t threshold, float scale,
                  const float *x, float *y);
} CRandom;

typedef struct CSparse {
  // sums = the sum over k < count of values[k] * rows[indices[k]], in the order of k
  void (*sumScaledRows)(long count, long columns, const int32_t *indices, const float *values,
                        const float *rows, float *sums);
} CSparse;

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
} CImages;

// What a step makes of each element of the summed gradient, before the optimizer's own formula:
// g = clamp(scale * gradient, -limit, limit) + weightDecay * w + l1 * sign(w)
typedef struct CGradientTerms {
  float scale;
  float limit;
  float weightDecay;
  float l1;
} CGradientTerms;

// How Adam averages: m = keep1 * m + take1 * g; v = keep2 * v + take2 * g^2; the direction is
// u = correction1 * m / (correction2 * sqrt(v) + epsilon) + weightDecay * w.
typedef struct CMoments {
  float keep1;
  float take1;
  float keep2;
  float take2;
  float correction1;
  float correction2;
  float epsilon;
  float weightDecay;
} CMoments;

// How RMSprop averages: s = keep * s + take * g^2.
typedef struct CSquareAverage {
  float keep;
  float take;
  float epsilon;
} CSquareAverage;

// One step of an optimizer each: w are the parameters, g is what CGradientTerms say. Everything is
// updated in place, elements that are zero with their gradient and states stay zero.
typedef struct COptimizers {
  // w -= rate * g
  void (*descend)(long count, CGradientTerms terms, float rate, const float *gradients,
                  float *parameters);
  // v = momentum * v + g; w -= rate * v or, with Nesterov's look ahead, rate * (g + momentum * v)
  void (*descendWithMomentum)(long count, CGradientTerms terms, float rate, float momentum,
                              bool nesterov, const float *gradients, float *velocity,
                              float *parameters);
  // m and v as CMoments say; w -= rate * u
  void (*adam)(long count, CGradientTerms terms, CMoments moments, float rate,
               const float *gradients, float *first, float *second, float *parameters);
  // s += g^2; w -= rate * g / (sqrt(s) + epsilon)
  void (*adagrad)(long count, CGradientTerms terms, float epsilon, float rate,
                  const float *gradients, float *squares, float *parameters);
  // s as CSquareAverage says; a = keep * a + take * g; u = g / (sqrt(s - a^2) + epsilon);
  // b = momentum * b + u; w -= rate * b. Without averages, a = 0; without velocity, b = u.
  void (*rmsprop)(long count, CGradientTerms terms, CSquareAverage average, float momentum,
                  float rate, const float *gradients, float *squares, float *_Nullable averages,
                  float *_Nullable velocity, float *parameters);

  // The sum of x^2, in double precision. Here and below, sums have one partial sum for each lane of
  // a vector, added up in order at the end: an order that depends on `count` only.
  double (*sumOfSquares)(long count, const float *x);
  // sums = the sums of w^2 and g^2
  void (*larsNorms)(long count, CGradientTerms terms, const float *gradients,
                    const float *parameters, double *sums);
  // v = momentum * v + rate * g; w -= v
  void (*lars)(long count, CGradientTerms terms, float rate, float momentum,
               const float *gradients, float *velocity, float *parameters);
  // m and v as CMoments say; sums = the sums of w^2 and u^2
  void (*lambNorms)(long count, CGradientTerms terms, CMoments moments, const float *gradients,
                    float *first, float *second, const float *parameters, double *sums);
  // w -= rate * u
  void (*lamb)(long count, CMoments moments, float rate, const float *first, const float *second,
               float *parameters);
} COptimizers;

// What happens to a finished sum before it is stored.
typedef enum CFinish {
  CFinishNone,
  CFinishReLU,  // max(sum, 0); NaN stays NaN
  CFinishMask,  // the sum where mask > 0, else 0
} CFinish;

// One block of a product: result (rows x columns) = start + left right, each sum a chain of
// multiply-adds (fused where the CPU has it) from its start on, in the order of depth. `columns`
// beyond the last whole vector may be read from `right`, not from any other operand.
typedef struct CProduct {
  long rows;
  long columns;
  long depth;
  // Element (i, d) is left[i * leftStride + d] or, transposed, left[d * leftStride + i].
  const float *left;
  long leftStride;
  bool leftIsTransposed;
  // Element (d, j) is right[j / tileColumns * panelStride + d * rightStride + j % tileColumns].
  const float *right;
  long rightStride;
  long panelStride;
  // Element (i, j) is start[i * startStride + j]; none: zero. It may be `result`.
  const float *_Nullable start;
  long startStride;
  float *result;
  long resultStride;
  CFinish finish;
  const float *_Nullable mask;
  long maskStride;
} CProduct;

// How a sum over rows is cut into shards: shard s ends before row ends[s] and is then added to the
// last merges[s] of the partial sums that wait in `waiting`, one tile each.
typedef struct CShards {
  long count;
  const long *ends;
  const int8_t *merges;
  float *waiting;
} CShards;

// Matrix products.
typedef struct CProducts {
  // The register tile: tileRows x tileColumns sums; tileColumns is also the width of a packed panel
  // of the right operand.
  long tileRows;
  long tileColumns;
  // Floats of a vector.
  long lanes;
  // The most rows of multiplyRows.
  long streamedRows;

  void (*multiply)(const CProduct *product);
  // The same with a transposed left operand: result = start + the sum of the shards' products, each
  // from zero.
  void (*multiplyShards)(const CProduct *product, const CShards *shards);
  // The same for up to streamedRows rows and whole vectors of columns, with operands as they lie in
  // memory (not transposed, rightStride; no panels).
  void (*multiplyRows)(const CProduct *product);

  // Packs `columns` x `depth` elements of a right operand into panels of tileColumns, `panelStride`
  // apart: panel[d * tileColumns + j], with zeros up to the end of the last vector.
  // From source[d * stride + j]:
  void (*packRows)(long columns, long depth, const float *source, long stride, float *panels,
                   long panelStride);
  // From source[j * stride + d]:
  void (*packColumns)(long columns, long depth, const float *source, long stride, float *panels,
                      long panelStride);
} CProducts;

// As fast as arithmetic can be: what other kernels are measured by.
typedef struct CPeak {
  // Floats that stay in registers.
  long count;
  // x = x * factor + addend (fused where the CPU has it) for each of the `count`, `steps` times
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
  // sums[j] = x[0][j] + x[1][j] + ..., in the order of rows, in blocks of 128
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
} CKernelTable;

#pragma clang assume_nonnull end

#endif
