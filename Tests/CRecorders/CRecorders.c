#include "CRecorders.h"

#include <stdatomic.h>

static atomic_bool calls[CRecorders_count];

// A floating-point result is 0; another, whatever its register holds.
#define RECORDER(n) \
  static double recorder##n(void) { \
    atomic_store_explicit(&calls[0x##n], true, memory_order_relaxed); \
    return 0; \
  }
#define ADDRESS(n) (const void *)recorder##n,

#define SIXTEEN(X, n) \
  X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7) \
  X(n##8) X(n##9) X(n##a) X(n##b) X(n##c) X(n##d) X(n##e) X(n##f)
#define ALL(X) \
  SIXTEEN(X, 0) SIXTEEN(X, 1) SIXTEEN(X, 2) SIXTEEN(X, 3) SIXTEEN(X, 4) SIXTEEN(X, 5) \
  SIXTEEN(X, 6) SIXTEEN(X, 7) SIXTEEN(X, 8) SIXTEEN(X, 9) SIXTEEN(X, a) SIXTEEN(X, b) \
  SIXTEEN(X, c) SIXTEEN(X, d) SIXTEEN(X, e) SIXTEEN(X, f)

ALL(RECORDER)

static const void *const addresses[CRecorders_count] = {ALL(ADDRESS)};

const void *CRecorders_address(int number) { return addresses[number]; }

bool CRecorders_wasCalled(int number) {
  return atomic_load_explicit(&calls[number], memory_order_relaxed);
}

void CRecorders_reset(void) {
  for (int i = 0; i < CRecorders_count; i++)
    atomic_store_explicit(&calls[i], false, memory_order_relaxed);
}
