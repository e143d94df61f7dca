/* Our own exp and log, the twins of fastgames/rules/exponential.py and logarithm.py: the same operations in the
 * same order, without branches, so that loops over lanes vectorise. */
#ifndef FASTGAMES_NUMERIC_H
#define FASTGAMES_NUMERIC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "arithmetic.h"

/* exp(x) = 2^n exp(r): n the whole number next to x / ln 2, r = x - n ln 2, exp(r) = 1 + r + r^2 p(r). Adding and
 * subtracting ROUNDER = 1.5 * 2^MANTISSA rounds; n then stands in the low bits, from where it goes into an exponent.
 * Below LOWEST it is 0, above HIGHEST infinite. */
#define FG_LOG2_E 1.4426950408889634
#define FG_LN2_HIGH 0.693145751953125
#define FG_LN2_LOW 1.4286068203094172e-06
#define FG_P_FIRST 2.5100569875813683e-08
#define FG_P_REST(DO)       \
  DO(2.762032742826824e-07) \
  DO(2.7557268072890098e-06) \
  DO(2.4801520792572693e-05) \
  DO(1.9841269863303223e-04) \
  DO(1.3888888917538296e-03) \
  DO(8.333333333330012e-03) \
  DO(4.1666666666623477e-02) \
  DO(1.6666666666666669e-01) \
  DO(5.000000000000001e-01)
#define FG_F64_ROUNDER 6755399441055744.0
#define FG_F32_ROUNDER 12582912.0
#define FG_F64_LOWEST -707.0
#define FG_F32_LOWEST -86.0
enum { FG_F64_MANTISSA = 52, FG_F32_MANTISSA = 23, FG_F64_BIAS = 1023, FG_F32_BIAS = 127 };

#define FG_DEFINE_EXP(NAME, T, BITS, TYPE, ROUNDED, HIGHEST)                                           \
  static inline T NAME(const T argument) {                                                             \
    const T x = ROUNDED(argument);                                                                     \
    const T rounded = ROUNDED(x * (T)FG_LOG2_E) + (T)TYPE##_ROUNDER, n = rounded - (T)TYPE##_ROUNDER;  \
    const T r = (x - ROUNDED(n * (T)FG_LN2_HIGH)) - ROUNDED(n * (T)FG_LN2_LOW);                        \
    T p = (T)FG_P_FIRST, half;                                                                         \
    BITS b;                                                                                            \
    FG_P_REST(FG_NEXT_##TYPE)                                                                          \
    p = (T)1 + (r + ROUNDED(r * r * p));                                                               \
    memcpy(&b, &rounded, sizeof b);                                                                    \
    b = (b + (TYPE##_BIAS - 1)) << TYPE##_MANTISSA; /* 2^(n-1), for 2^n may be too large */            \
    memcpy(&half, &b, sizeof half);                                                                    \
    p = (p * half) * (T)2;                                                                             \
    p = x < (T)TYPE##_LOWEST ? (T)0 : p;                                                               \
    return x > (T)HIGHEST ? (T)INFINITY : p;                                                           \
  }
#define FG_NEXT_FG_F64(c) p = fg_rounded_f64(p * r) + c;
#define FG_NEXT_FG_F32(c) p = fg_rounded_f32(p * r) + (float)c;
FG_DEFINE_EXP(fg_exp_f64, double, uint64_t, FG_F64, fg_rounded_f64, 709.782712893384)
FG_DEFINE_EXP(fg_exp_f32, float, uint32_t, FG_F32, fg_rounded_f32, 88.72283905206835)

/* log of a positive, finite, normal number. It is taken apart as by frexp: x = 2^n m with m in [1/2, 1). 2^52 + n + 1022
 * is a double whose low bits are the exponent's, since no vector instruction of AVX2 converts 64-bit integers. */
static inline double fg_log(const double x) {
  uint64_t b, exponent;
  double m, n;
  memcpy(&b, &x, sizeof b);
  exponent = (b >> FG_F64_MANTISSA) | 0x4330000000000000u;
  b = (b & 0x000fffffffffffffu) | 0x3fe0000000000000u;
  memcpy(&m, &b, sizeof m);
  memcpy(&n, &exponent, sizeof n);
  n -= 4503599627370496.0 + 1022.0;
  const int low = m < 0.7071067811865476;
  m = low ? m * 2.0 : m;
  const double f = m - 1.0, s = f / (2.0 + f), z = s * s, half = fg_rounded_f64(0.5 * f * f), e = low ? n - 1.0 : n;
  double p = 0.1479595012209899;
  p = fg_rounded_f64(p * z) + 0.15314050512593683;
  p = fg_rounded_f64(p * z) + 0.18183564327537233;
  p = fg_rounded_f64(p * z) + 0.22222198573160543;
  p = fg_rounded_f64(p * z) + 0.2857142874238781;
  p = fg_rounded_f64(p * z) + 0.39999999999414676;
  p = fg_rounded_f64(p * z) + 0.6666666666666734;
  p = fg_rounded_f64(s * (half + fg_rounded_f64(z * p)));
  return fg_rounded_f64(e * 0.693145751953125) - ((half - (p + fg_rounded_f64(e * 1.4286068203094172e-06))) - f);
}

#endif
