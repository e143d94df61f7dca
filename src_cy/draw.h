/* Random words and signals made from them, along the lanes. Twins of fastgames/rules/streams.py and choice.py. */
#ifndef FASTGAMES_DRAW_H
#define FASTGAMES_DRAW_H

#include <math.h>

#include "fastgames/streams.h"
#include "real.h"

/* Generators are stored as (4, lanes). */
static inline fg_generator fg_generator_of(const uint32_t *at, const int64_t lanes) {
  const fg_generator g = {at[0], at[lanes], at[2 * lanes], at[3 * lanes]};
  return g;
}

static inline void fg_keep_generator(const fg_generator g, uint32_t *at, const int64_t lanes) {
  at[0] = g.a;
  at[lanes] = g.b;
  at[2 * lanes] = g.c;
  at[3 * lanes] = g.d;
}

/* The signal of an agent with two actions as a nudge, a number added to the value of action 0: +inf forces action 0,
 * -inf forces action 1, 0 leaves the greedy action. half: the smallest u that explores action 1. */
static inline real fg_nudge(const int32_t u, const int32_t threshold, const int32_t half) {
  const real x = u >= half ? (real)-INFINITY : (real)INFINITY;
  return u <= threshold ? x : (real)0;
}

/* Convert an explored action, or -1, to a nudge; for schedules, under which half changes. */
static inline real fg_as_nudge(const real explored) {
  const real x = explored > 0 ? (real)-INFINITY : (real)INFINITY;
  return explored < 0 ? (real)0 : x;
}

/* Draw the signals of `steps` steps (1 to FG_BATCH) ahead. Drawing several keeps the generators in registers. The steps
 * are unrolled because gcc vectorises along the lanes only if no inner loop is left. */
enum { FG_BATCH = 4 };
enum { FG_SIGNAL_EXPLORE, FG_SIGNAL_NUDGE, FG_SIGNAL_EXPLORE_AS_NUDGE, FG_SIGNAL_UNIT };

FG_INLINE real fg_signal(const int signal, const int32_t u, const int64_t i, const real last,
                         const int32_t *threshold, const int32_t *half, const real *scale) {
  if (signal == FG_SIGNAL_UNIT) return FG_UNIT(u);
  if (signal == FG_SIGNAL_NUDGE) return fg_nudge(u, threshold[i], half[i]);
  const real explored = FG_OF_REAL(explore_scaled)(u, threshold[i], scale[i], last);
  return signal == FG_SIGNAL_EXPLORE ? explored : fg_as_nudge(explored);
}

FG_INLINE void fg_draw_steps(const int signal, const int steps, const int64_t lanes, const real last,
                             uint32_t *generators,     /* IN OUT (4, lanes) */
                             const int32_t *threshold, /* IN (lanes,) */
                             const int32_t *half,      /* IN (lanes,), for nudges */
                             const real *scale,        /* IN (lanes,) */
                             real *signals) {          /* OUT (steps, lanes) */
  const int64_t end = lanes & ~(int64_t)15; /* equals lanes, a multiple of 16; gcc then emits no remainder loop */
  FG_LANES
  for (int64_t i = 0; i < end; i++) {
    fg_generator g = fg_generator_of(generators + i, lanes);
#define FG_DO(k) signals[k * lanes + i] = fg_signal(signal, fg_word31(&g), i, last, threshold, half, scale);
    FG_DO(0)
    if (steps > 1) { FG_DO(1) }
    if (steps > 2) { FG_DO(2) }
    if (steps > 3) { FG_DO(3) }
#undef FG_DO
    fg_keep_generator(g, generators + i, lanes);
  }
}

FG_INLINE void fg_draw(const int signal, const int steps, const int64_t lanes, const real last,
                       uint32_t *generators, const int32_t *threshold, const int32_t *half,
                       const real *scale, real *signals) {
  if (steps == FG_BATCH)
    fg_draw_steps(signal, FG_BATCH, lanes, last, generators, threshold, half, scale, signals);
  else
    for (int k = 0; k < steps; k++)
      fg_draw_steps(signal, 1, lanes, last, generators, threshold, half, scale, signals + k * lanes);
}

/* Draw `words` 31-bit words for every lane: nature's, or those of rules that make their own signals. */
FG_INLINE void fg_draw_words(const int64_t words, const int64_t lanes,
                             uint32_t *generators, /* IN OUT (4, lanes) */
                             int64_t *u) {         /* OUT (words, lanes) */
  for (int64_t w = 0; w < words; w++) {
    int64_t *out = u + w * lanes;
    FG_LANES
    for (int64_t i = 0; i < lanes; i++) {
      fg_generator g = fg_generator_of(generators + i, lanes);
      out[i] = fg_word31(&g);
      fg_keep_generator(g, generators + i, lanes);
    }
  }
}

#endif
