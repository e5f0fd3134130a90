#ifndef CPEAK_H
#define CPEAK_H

// Runs `count` rounds of 12 independent multiply-adds of vectors of the given set, from registers;
// returns the floating-point operations executed.
double CPeak_baseline(long count);
double CPeak_avx2(long count);
double CPeak_avx512(long count);

#endif
