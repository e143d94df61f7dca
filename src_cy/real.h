/* The type of the tables ("real") and its same-width companions. Each extension is compiled twice,
 * with FG_REAL=float and FG_REAL=double, from the same Cython source; see setup.py. */
#ifndef FASTGAMES_REAL_H
#define FASTGAMES_REAL_H

#include <stdint.h>
#include <string.h>

#if defined(_MSC_VER) && !defined(__clang__)
#define FG_RESTRICT __restrict
#else
#define FG_RESTRICT restrict
#endif

/* FG_LANES before a loop over lanes: its iterations do not depend on each other. */
#if defined(__clang__)
#define FG_INLINE static inline __attribute__((always_inline))
#define FG_APART static __attribute__((noinline))
#define FG_LANES _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define FG_INLINE static inline __attribute__((always_inline))
#define FG_APART static __attribute__((noinline))
#define FG_LANES _Pragma("GCC ivdep")
#else
#define FG_INLINE static __inline
#define FG_APART static
#define FG_LANES
#endif

/* Registers enough to keep two agents' generators and tables while they take several steps. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { FG_MANY_REGISTERS = 1 };
#else
enum { FG_MANY_REGISTERS = 0 };
#endif

typedef FG_REAL real;
typedef real *FG_RESTRICT reals;          /* arrays that do not overlap any other of the kernel */
typedef double *FG_RESTRICT doubles;
typedef int32_t *FG_RESTRICT ints;

#if FG_DOUBLE
typedef uint64_t bits;
typedef int64_t same_width; /* whole numbers as wide as a real: lanes of one width in a loop */
#define FG_MANTISSA 52
#define FG_BIAS 1023
#define FG_LOWEST (-707.0)
#define FG_HIGHEST 709.782712893384
#define FG_ROUNDER 6755399441055744.0
#define FG_UNIT(u) ((double)(u) * 0x1p-31)
#else
typedef uint32_t bits;
typedef int32_t same_width;
#define FG_MANTISSA 23
#define FG_BIAS 127
#define FG_LOWEST (-86.0f)
#define FG_HIGHEST 88.72283905206835f
#define FG_ROUNDER 12582912.0f
#define FG_UNIT(u) ((float)((u) >> 7) * 0x1p-24f)
#endif

/* 2^(n-1) for a whole n, given as n + FG_ROUNDER: n then stands in the low bits of the mantissa. */
static inline real fg_half_power(real rounded) {
  bits b;
  real r;
  memcpy(&b, &rounded, sizeof b);
  b = (b + (FG_BIAS - 1)) << FG_MANTISSA;
  memcpy(&r, &b, sizeof r);
  return r;
}

#endif
