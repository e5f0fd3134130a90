// Counts what is taken from the C library's heap. The functions of malloc(3) are defined here and
// pass every call on, which replaces them for the whole program: the Swift runtime and libraries
// too. GNU's C library only.
#pragma once

#include <stdbool.h>

/// Whether allocations are counted in this program.
bool CAllocations_areCounted(void);

/// Blocks that the calling thread has taken, resized ones included, since it began.
unsigned long CAllocations_count(void);

/// The same for all threads of the program.
unsigned long CAllocations_countOfAllThreads(void);

