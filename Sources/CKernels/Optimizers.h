// Steps of optimizers. A part of the table of a kernel set: see CKernels.h.
#ifndef CKERNELS_OPTIMIZERS_H
#define CKERNELS_OPTIMIZERS_H

#include <stdbool.h>

#pragma clang assume_nonnull begin

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

#pragma clang assume_nonnull end

#endif
