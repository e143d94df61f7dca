/* A fused step of two Q-learners with 2 to FG_FEW actions each: both choose, the game moves, both learn, and only tables
 * and flips are written. It gives the bits of the passes choose_greedy, move, reward and learn_q, for any payoffs and
 * gamma = 0. If an agent is not epsilon-greedy, both have chosen in a pass before.
 *
 * Payoffs are selected, not gathered: a gather costs more than the selects of a 5 x 5 table.
 */
#ifndef FASTGAMES_PAIR_H
#define FASTGAMES_PAIR_H

#include "few.h"

typedef struct {
  fg_row row[FG_FEW];
} fg_table;

FG_INLINE fg_table fg_load_table(const int A, const int B, const real *payoffs) {
  fg_table table;
  table.row[0] = fg_load(B, 1, payoffs);
#define FG_DO(k) table.row[k] = fg_load(B, 1, payoffs + k * B);
  FG_FROM_1(A, FG_DO)
#undef FG_DO
  return table;
}

FG_INLINE real fg_payoff(const int A, const int B, const fg_table table, const real a, const real b) {
  real x = fg_select(B, table.row[0], b), y;
#define FG_DO(k)                      \
  y = fg_select(B, table.row[k], b);  \
  x = a == (real)k ? y : x;
  FG_FROM_1(A, FG_DO)
#undef FG_DO
  return x;
}

/* One agent of the step; arrays are over lanes, except payoffs. */
typedef struct {
  const real *signal;  /* IN, unless `chosen` */
  const real *action;  /* IN, if `chosen` */
  const real *alpha;   /* IN */
  const real *payoffs; /* IN (A, B) */
  real *q;             /* IN OUT (actions, lanes) */
  same_width *flips;   /* IN OUT changes of its greedy action, if `flips` */
} fg_agent;

FG_INLINE void fg_step(const int A, const int B, const int chosen, const int flips, const int64_t lanes,
                       const fg_agent s, const fg_agent t) {
  const fg_table p = fg_load_table(A, B, s.payoffs), r = fg_load_table(A, B, t.payoffs);
  const int64_t end = lanes & ~(int64_t)15; /* equals lanes, a multiple of 16; gcc then emits no remainder loop */
  FG_LANES
  for (int64_t i = 0; i < end; i++) {
    const fg_row q = fg_load(A, lanes, s.q + i), w = fg_load(B, lanes, t.q + i);
    const real a = chosen ? s.action[i] : fg_pick(A, q, s.signal[i]);
    const real b = chosen ? t.action[i] : fg_pick(B, w, t.signal[i]);
    const fg_row q2 = fg_update(A, q, a, s.alpha[i], fg_payoff(A, B, p, a, b));
    const fg_row w2 = fg_update(B, w, b, t.alpha[i], fg_payoff(A, B, r, a, b));
    fg_store(A, lanes, q2, s.q + i);
    fg_store(B, lanes, w2, t.q + i);
    if (flips) {
      s.flips[i] += fg_greedy(A, q2) != fg_greedy(A, q) ? 1 : 0;
      t.flips[i] += fg_greedy(B, w2) != fg_greedy(B, w) ? 1 : 0;
    }
  }
}

/* fg_step_AB for A, B in 2..FG_FEW, and their dispatch table. */
typedef void (*fg_pair_step)(int chosen, int flips, int64_t lanes, const fg_agent *s, const fg_agent *t);
#define FG_PAIR(A, B)                                                                                      \
  static void fg_step_##A##B(int chosen, int flips, int64_t lanes, const fg_agent *s, const fg_agent *t) { \
    if (chosen && flips) fg_step(A, B, 1, 1, lanes, *s, *t);                                               \
    else if (chosen) fg_step(A, B, 1, 0, lanes, *s, *t);                                                   \
    else if (flips) fg_step(A, B, 0, 1, lanes, *s, *t);                                                    \
    else fg_step(A, B, 0, 0, lanes, *s, *t);                                                               \
  }
#define FG_PAIRS(A) FG_PAIR(A, 2) FG_PAIR(A, 3) FG_PAIR(A, 4) FG_PAIR(A, 5)
FG_PAIRS(2) FG_PAIRS(3) FG_PAIRS(4) FG_PAIRS(5)
#define FG_ROW(A) {fg_step_##A##2, fg_step_##A##3, fg_step_##A##4, fg_step_##A##5}
static const fg_pair_step fg_pair_steps[4][4] = {FG_ROW(2), FG_ROW(3), FG_ROW(4), FG_ROW(5)};

#endif
