// What this CPU can execute, and its kernel allows. Header only: Swift has no CPUID, no pause and no
// floating-point environment of its own, and does not import system calls that hide behind
// _GNU_SOURCE.
#ifndef CCPU_H
#define CCPU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

// The register state that the operating system saves and restores (XCR0); 0 if it saves none.
// A CPU feature without it faults at its first instruction.
static inline uint64_t CCPU_savedState(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27))) return 0;  // OSXSAVE
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((uint64_t)high << 32) | low;
}

// AVX2, FMA, F16C and BMI2, and the upper halves of the YMM registers saved.
static inline bool CCPU_hasAVX2(void) {
  unsigned a, b, c, d;
  if ((CCPU_savedState() & 0x6) != 0x6) return false;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  if (!(c & (1u << 12)) || !(c & (1u << 28)) || !(c & (1u << 29))) return false;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  return (b & (1u << 5)) && (b & (1u << 8));
}

// AVX-512 F, DQ, BW and VL on top of AVX2, and the mask and ZMM registers saved.
static inline bool CCPU_hasAVX512(void) {
  unsigned a, b, c, d;
  if (!CCPU_hasAVX2() || (CCPU_savedState() & 0xe6) != 0xe6) return false;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  return (b & (1u << 16)) && (b & (1u << 17)) && (b & (1u << 30)) && (b & (1u << 31));
}
#else
static inline bool CCPU_hasAVX2(void) { return false; }
static inline bool CCPU_hasAVX512(void) { return false; }
#endif

// Room for a bit for each processor that a kernel may know.
enum { CCPU_bytesOfProcessors = 8192 };

// The processors that this thread may run on, a bit each in up to `bytes` bytes, hardware threads
// counted. Returns how many bytes there are; 0 where the system does not tell.
static inline int CCPU_usableProcessors(unsigned char *bits, int bytes) {
#if defined(SYS_sched_getaffinity)
  long size = syscall(SYS_sched_getaffinity, 0, (unsigned long)bytes, bits);
  return size > 0 ? (int)size : 0;
#else
  return 0;
#endif
}

// Their number.
static inline int CCPU_usableProcessorCount(void) {
  unsigned char bits[CCPU_bytesOfProcessors];
  int count = 0;
  for (int i = CCPU_usableProcessors(bits, sizeof bits) - 1; i >= 0; i--)
    count += __builtin_popcount(bits[i]);
  return count > 0 ? count : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

// Between two looks at a flag: saves power, and leaves the core's other thread room.
static inline void CCPU_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// How this thread's floating-point instructions round, trap and treat subnormal numbers: MXCSR on
// x86-64, FPCR on arm64.
static inline uint64_t CCPU_floatControl(void) {
#if defined(__x86_64__)
  return __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  return control;
#else
  return 0;
#endif
}

static inline void CCPU_setFloatControl(uint64_t control) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((unsigned)control);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
#else
  (void)control;
#endif
}

// `control`, but that subnormal operands count as zero and subnormal results become zero.
static inline uint64_t CCPU_flushingSubnormals(uint64_t control) {
#if defined(__x86_64__)
  return control | 1u << 15 | 1u << 6;  // FTZ, DAZ
#elif defined(__aarch64__)
  return control | 1u << 24;  // FZ
#else
  return control;
#endif
}

// Whether processes may read each other's memory. Containers can forbid the call even to oneself.
static inline bool CCPU_allowsCrossMemoryAttach(void) {
#ifdef SYS_process_vm_readv
  char source = 1, target = 0;
  struct iovec local = {&target, 1}, remote = {&source, 1};
  return syscall(SYS_process_vm_readv, getpid(), &local, 1ul, &remote, 1ul, 0ul) == 1;
#else
  return false;
#endif
}

#endif
