/* The type of the tables ("real") and the types of the same width. Each extension is compiled twice from the same
 * Cython source, with FG_REAL=float and with FG_REAL=double; see setup.py. */
#ifndef FASTGAMES_REAL_H
#define FASTGAMES_REAL_H

#include <stdint.h>

#include "fastgames/rules.h"

#if defined(_MSC_VER) && !defined(__clang__)
#define FG_RESTRICT __restrict
#else
#define FG_RESTRICT restrict
#endif

/* FG_LANES precedes a loop over lanes and asserts that its iterations are independent. */
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

typedef FG_REAL real;
typedef real *FG_RESTRICT reals;          /* arrays that overlap no other array of the kernel */
typedef double *FG_RESTRICT doubles;
typedef int32_t *FG_RESTRICT ints;

#if FG_DOUBLE
typedef int64_t same_width; /* integers as wide as a real, so that all lanes of a loop have one width */
#define FG_OF_REAL(name) fg_##name##_f64
#else
typedef int32_t same_width;
#define FG_OF_REAL(name) fg_##name##_f32
#endif
#define FG_EXP FG_OF_REAL(exp)
#define FG_UNIT FG_OF_REAL(unit)

#endif
