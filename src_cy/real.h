/* The type of the tables ("real") and its same-width companions. Each extension is compiled twice,
 * with FG_REAL=float and FG_REAL=double, from the same Cython source; see setup.py. */
#ifndef FASTGAMES_REAL_H
#define FASTGAMES_REAL_H

#include <stdint.h>

#include "fastgames/rules.h"

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

typedef FG_REAL real;
typedef real *FG_RESTRICT reals;          /* arrays that do not overlap any other of the kernel */
typedef double *FG_RESTRICT doubles;
typedef int32_t *FG_RESTRICT ints;

#if FG_DOUBLE
typedef int64_t same_width; /* whole numbers as wide as a real: lanes of one width in a loop */
#define FG_OF_REAL(name) fg_##name##_f64
#else
typedef int32_t same_width;
#define FG_OF_REAL(name) fg_##name##_f32
#endif
#define FG_EXP FG_OF_REAL(exp)
#define FG_UNIT FG_OF_REAL(unit)

#endif
