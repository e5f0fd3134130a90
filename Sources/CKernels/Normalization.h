// Layer and batch normalization. A part of the table of a kernel set: see CKernels.h.
#ifndef CKERNELS_NORMALIZATION_H
#define CKERNELS_NORMALIZATION_H

#pragma clang assume_nonnull begin

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

#pragma clang assume_nonnull end

#endif
