/* What keeps the bits whatever flags a module is compiled with. */
#ifndef FASTGAMES_ARITHMETIC_H
#define FASTGAMES_ARITHMETIC_H

#include <stddef.h>
#include <stdint.h>

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    defined(_M_FP_FAST) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "fastgames: compile without -ffast-math (-Ofast, /fp:fast) or any part of it, for it changes the bits"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16 /* 16: _Float16 has its own */
#error "fastgames: floats must be computed in their own type; on 32-bit x86, compile with -msse2 -mfpmath=sse"
#endif

/* fg_rounded_f64(x), fg_rounded_f32(x): x, rounded to its type before it goes on. Where the CPU has fused
 * multiply-adds, gcc (and clang with -ffp-contract=fast) makes one of a product and a sum, which rounds once instead of
 * twice, unless something seems to happen to the product in between. No instruction is added. So it stands around every
 * product, and around what comes from outside, for that may be one.
 *
 * FG_NO_CONTRACTION says that all is compiled with -ffp-contract=off: then it is nothing, and loops vectorise. */
#if defined(FG_NO_CONTRACTION)
#define fg_rounded_f64(x) (x)
#define fg_rounded_f32(x) (x)
#elif !defined(__GNUC__) && !defined(__clang__)
#define fg_rounded_f64(x) (x)
#define fg_rounded_f32(x) (x)
#if defined(_MSC_VER)
#pragma fp_contract(off)
#else
#pragma STDC FP_CONTRACT OFF
#endif
#else
#if defined(__AVX512F__)
#define FG_REGISTER "+v"
#elif defined(__x86_64__) || defined(__SSE2__)
#define FG_REGISTER "+x"
#elif defined(__aarch64__)
#define FG_REGISTER "+w"
#elif defined(__riscv)
#define FG_REGISTER "+f"
#else
#define FG_REGISTER "+m" /* through memory: slower, and right everywhere */
#endif
static inline double fg_rounded_f64(double x) {
  __asm__("" : FG_REGISTER(x));
  return x;
}
static inline float fg_rounded_f32(float x) {
  __asm__("" : FG_REGISTER(x));
  return x;
}
#endif

#endif
