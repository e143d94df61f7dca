/* Softmax over a few actions, in columns. An exponential is one chain of dependent operations, so several are
 * interleaved; see FG_CHAINS in simd.h.
 */
#ifndef FASTGAMES_SOFTMAX_H
#define FASTGAMES_SOFTMAX_H

#include "fastgames/numeric.h"
#include "few.h"
#include "simd.h"

#if defined(__GNUC__)

#if FG_DOUBLE
#define FG_ROUNDER FG_F64_ROUNDER
#define FG_LOWEST FG_F64_LOWEST
enum { FG_MANTISSA = FG_F64_MANTISSA, FG_BIAS = FG_F64_BIAS };
#else
#define FG_ROUNDER FG_F32_ROUNDER
#define FG_LOWEST FG_F32_LOWEST
enum { FG_MANTISSA = FG_F32_MANTISSA, FG_BIAS = FG_F32_BIAS };
#endif

/* Compute exp of n vectors in place; all elements <= 0. The twin of FG_DEFINE_EXP: for elements >= FG_LOWEST, 2^n is a
 * normal number, so one multiplication applies it. */
FG_INLINE void fg_exp_of_negative(const int n, fg_reals *x) {
  fg_reals rounded[FG_CHAINS], r[FG_CHAINS], p[FG_CHAINS];
  FG_EACH(n) rounded[k] = x[k] * (real)FG_LOG2_E + (real)FG_ROUNDER;
  FG_EACH(n) r[k] = x[k] - (rounded[k] - (real)FG_ROUNDER) * (real)FG_LN2_HIGH;
  FG_EACH(n) r[k] = r[k] - (rounded[k] - (real)FG_ROUNDER) * (real)FG_LN2_LOW;
  FG_EACH(n) p[k] = fg_every((real)FG_P_FIRST);
#define FG_NEXT(c)                         \
  FG_EACH(n) {                             \
    p[k] = p[k] * r[k] + (real)c;          \
    FG_IN_THIS_ORDER(p[k])                 \
  }
  FG_P_REST(FG_NEXT)
#undef FG_NEXT
  FG_EACH(n) p[k] = (real)1 + (r[k] + r[k] * r[k] * p[k]);
  FG_EACH(n) p[k] = p[k] * (fg_reals)(((fg_wholes)rounded[k] + FG_BIAS) << FG_MANTISSA);
  FG_EACH(n) x[k] = fg_if(fg_more(fg_every((real)FG_LOWEST), x[k]), fg_every(0), p[k]);
}

/* Sample from exp((q - best) / temperature), `hands` vectors at a time. The greedy action has weight exp(0) = 1. Action 0
 * takes its slot in the exponentials, so one exponential fewer is computed. */
FG_INLINE void fg_softmax(const int actions, const int hands, const int64_t lanes,
                          const real *q,           /* IN (actions, lanes) */
                          const real *signals,     /* IN (lanes,) */
                          const real *temperature, /* IN (lanes,) */
                          real *action) {          /* OUT (lanes,) */
  const fg_reals zero = fg_every(0), one = fg_every(1);
  fg_mask is[FG_FEW][FG_CHAINS]; /* action a is the greedy action */
  fg_reals w[FG_FEW][FG_CHAINS], best[FG_CHAINS], sum[FG_CHAINS];
  FG_EACH(hands) best[k] = fg_load_reals(q + k * FG_REALS);
#define FG_DO(a)                                                            \
  FG_EACH(hands) {                                                          \
    const fg_reals x = fg_load_reals(q + a * lanes + k * FG_REALS);         \
    is[a][k] = fg_more(x, best[k]);                                         \
    best[k] = fg_if(is[a][k], x, best[k]);                                  \
  }
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
#define FG_DO(a) \
  if (a + 1 < actions) FG_EACH(hands) is[a][k] = fg_and_not(is[a][k], fg_more(best[k], fg_load_reals(q + a * lanes + k * FG_REALS)));
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
#define FG_DO(a)                                                                                     \
  FG_EACH(hands) {                                                                                   \
    const fg_reals first = fg_load_reals(q + k * FG_REALS);                                          \
    const fg_reals x = fg_if(is[a][k], first, fg_load_reals(q + a * lanes + k * FG_REALS)) - best[k]; \
    w[a][k] = x / fg_load_reals(temperature + k * FG_REALS);                                         \
  }                                                                                                  \
  fg_exp_of_negative(hands, w[a]);
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
  FG_EACH(hands) w[0][k] = one;
#define FG_DO(a)                                       \
  FG_EACH(hands) {                                     \
    w[0][k] = fg_if(is[a][k], w[a][k], w[0][k]);       \
    w[a][k] = fg_if(is[a][k], one, w[a][k]);           \
  }
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
#define FG_DO(a) FG_EACH(hands) w[a][k] = w[a - 1][k] + w[a][k];
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
  FG_EACH(hands) sum[k] = fg_load_reals(signals + k * FG_REALS) * w[actions - 1][k]; /* sum now holds the limit of the sampling */
  FG_EACH(hands) {
    fg_reals a = fg_if(fg_more(w[0][k], sum[k]), zero, one);
#define FG_DO(b) \
  if (b + 1 < actions) a = a + fg_if(fg_more(w[b][k], sum[k]), zero, one);
    FG_FROM_1(actions, FG_DO)
#undef FG_DO
    fg_store_reals(action + k * FG_REALS, a);
  }
}

/* Interleaved vectors for three to five actions: with 8, AVX-512 runs out of registers. */
enum { FG_OF_MORE = FG_BYTES == 64 ? 4 : 8 };
#define FG_DEFINE(A, HANDS)                                                                                      \
  static void fg_softmax_##A(const int64_t lanes, const real *q, const real *signals, const real *temperature,   \
                             real *action) {                                                                     \
    int64_t i = 0;                                                                                               \
    for (; i + HANDS * FG_REALS <= lanes; i += HANDS * FG_REALS)                                                 \
      fg_softmax(A, HANDS, lanes, q + i, signals + i, temperature + i, action + i);                              \
    for (; i < lanes; i += FG_REALS)                                                                             \
      fg_softmax(A, 1, lanes, q + i, signals + i, temperature + i, action + i);                                  \
  }
FG_DEFINE(2, 8) FG_DEFINE(3, FG_OF_MORE) FG_DEFINE(4, FG_OF_MORE) FG_DEFINE(5, FG_OF_MORE)
#undef FG_DEFINE

static void fg_choose_softmax(const int actions, const int64_t lanes, const real *q, const real *signals,
                              const real *temperature, real *action) {
  static void (*const choose[])(int64_t, const real *, const real *, const real *, real *) = {
      fg_softmax_2, fg_softmax_3, fg_softmax_4, fg_softmax_5};
  choose[actions - 2](lanes, q, signals, temperature, action);
}

#else
static void fg_choose_softmax(int actions, int64_t lanes, const real *q, const real *signals, const real *temperature,
                              real *action) {}
#endif

#endif
