// Functions of single elements, activations and losses. A part of the table of a kernel set: see CKernels.h.
#ifndef CKERNELS_ELEMENTWISE_H
#define CKERNELS_ELEMENTWISE_H

#include <stdint.h>

#pragma clang assume_nonnull begin

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
  // y = x / (1 + e^-v), v = 2 sqrt(2 / pi) (x + 0.044715 x^3)
  void (*geluTanh)(long count, const float *x, float *y);
  void (*geluTanhGradient)(long count, const float *x, const float *dy, float *dx);
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

#pragma clang assume_nonnull end

#endif
