/* Our own exp and log, the twins of fastgames/rules/exponential.py and logarithm.py: the same operations in the
 * same order, without branches, so that loops over lanes vectorise. */
#ifndef FASTGAMES_NUMERIC_H
#define FASTGAMES_NUMERIC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* exp for one type: BITS an unsigned integer as wide as T; ROUNDER = 1.5 * 2^MANTISSA, so that a whole n stands in
 * the low bits of n + ROUNDER, from where it is moved into the exponent. */
#define FG_DEFINE_EXP(NAME, T, BITS, MANTISSA, BIAS, ROUNDER, LOWEST, HIGHEST)        \
  static inline T NAME(const T x) {                                                   \
    const T rounded = x * (T)1.4426950408889634 + (T)ROUNDER, n = rounded - (T)ROUNDER; \
    const T r = (x - n * (T)0.693145751953125) - n * (T)1.4286068203094172e-06;       \
    T p = (T)2.5100569875813683e-08, half;                                            \
    BITS b;                                                                           \
    p = p * r + (T)2.762032742826824e-07;                                             \
    p = p * r + (T)2.7557268072890098e-06;                                            \
    p = p * r + (T)2.4801520792572693e-05;                                            \
    p = p * r + (T)1.9841269863303223e-04;                                            \
    p = p * r + (T)1.3888888917538296e-03;                                            \
    p = p * r + (T)8.333333333330012e-03;                                             \
    p = p * r + (T)4.1666666666623477e-02;                                            \
    p = p * r + (T)1.6666666666666669e-01;                                            \
    p = p * r + (T)5.000000000000001e-01;                                             \
    p = (T)1 + (r + r * r * p);                                                       \
    memcpy(&b, &rounded, sizeof b);                                                   \
    b = (b + (BIAS - 1)) << MANTISSA; /* 2^(n-1) */                                   \
    memcpy(&half, &b, sizeof half);                                                   \
    p = (p * half) * (T)2;                                                            \
    p = x < (T)LOWEST ? (T)0 : p;                                                     \
    return x > (T)HIGHEST ? (T)INFINITY : p;                                          \
  }

FG_DEFINE_EXP(fg_exp_f64, double, uint64_t, 52, 1023, 6755399441055744.0, -707.0, 709.782712893384)
FG_DEFINE_EXP(fg_exp_f32, float, uint32_t, 23, 127, 12582912.0, -86.0, 88.72283905206835)

/* log of a positive, finite, normal number. */
static inline double fg_log(const double x) {
  int n;
  double m = frexp(x, &n);
  const int low = m < 0.7071067811865476;
  m = low ? m * 2.0 : m;
  const double f = m - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f * f, e = (double)(n - low);
  double p = 0.1479595012209899;
  p = p * z + 0.15314050512593683;
  p = p * z + 0.18183564327537233;
  p = p * z + 0.22222198573160543;
  p = p * z + 0.2857142874238781;
  p = p * z + 0.39999999999414676;
  p = p * z + 0.6666666666666734;
  return e * 0.693145751953125 - ((half - (s * (half + z * p) + e * 1.4286068203094172e-06)) - f);
}

#endif
