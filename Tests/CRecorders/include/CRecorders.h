// Functions that do nothing but remember that they were called: what a test puts in place of the
// kernels of a table, to see which of them a benchmark calls. They may be called with any arguments,
// as the calling conventions of x86-64 and arm64 have it: a caller removes what it has passed.
#ifndef CRECORDERS_H
#define CRECORDERS_H

#include <stdbool.h>

// How many there are.
#define CRecorders_count 256

// The address of recorder `number`, whatever type the function has that it stands for.
const void *_Nonnull CRecorders_address(int number);

// Whether recorder `number` was called since `CRecorders_reset`.
bool CRecorders_wasCalled(int number);

void CRecorders_reset(void);

#endif
