/* A whole step of two epsilon-greedy Q-learners with a few actions each, fused: both choose, the game
 * moves, both learn, with nothing but the tables written. The twin of the passes choose_greedy, move,
 * reward and learn_q, for any payoffs; gamma = 0.
 *
 * Why C: gcc vectorises along the lanes only where no inner loop is left. So what would be loops over
 * actions stands unrolled up to FG_PAIR_MAX, and constant numbers of actions cut it short. Payoffs are
 * selected, not gathered: a gather costs more than the selects of a 5 x 5 table.
 */
#ifndef FASTGAMES_PAIR_H
#define FASTGAMES_PAIR_H

#include "draw.h"

enum { FG_PAIR_MAX = 5 };
#define FG_FROM_1(actions, DO) \
  if (actions > 1) { DO(1) }   \
  if (actions > 2) { DO(2) }   \
  if (actions > 3) { DO(3) }   \
  if (actions > 4) { DO(4) }

/* One entry per action, `stride` apart in memory. Everything is loaded once and stored once: what gcc
 * would load or store in a condition it masks, and masked stores are slow to read back. */
typedef struct {
  real x[FG_PAIR_MAX];
} fg_row;

FG_INLINE fg_row fg_load(const int actions, const int64_t stride, const real *from) {
  fg_row row;
  row.x[0] = from[0];
#define FG_DO(k) row.x[k] = from[k * stride];
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
  return row;
}

FG_INLINE void fg_store(const int actions, const int64_t stride, const fg_row row, real *to) {
  to[0] = row.x[0];
#define FG_DO(k) to[k * stride] = row.x[k];
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
}

FG_INLINE real fg_select(const int actions, const fg_row row, const real action) {
  real x = row.x[0];
#define FG_DO(k) x = action == (real)k ? row.x[k] : x;
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
  return x;
}

typedef struct {
  fg_row row[FG_PAIR_MAX];
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

/* The greedy action: the lowest index on ties. */
FG_INLINE real fg_greedy(const int actions, const fg_row q) {
  real best = q.x[0], action = 0;
#define FG_DO(k)                               \
  action = q.x[k] > best ? (real)k : action;   \
  best = q.x[k] > best ? q.x[k] : best;
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
  return action;
}

/* The action: the signal, or the greedy action where the signal is negative. With two actions the
 * signal is a nudge to the first: +inf forces action 0, -inf action 1, 0 leaves the greedy one. */
FG_INLINE real fg_pick(const int actions, const fg_row q, const real signal) {
  if (actions == 2) return q.x[1] > q.x[0] + signal ? (real)1 : (real)0;
  const real greedy = fg_greedy(actions, q);
  return signal < 0 ? greedy : signal;
}

/* q[action] += alpha (target - q[action]) */
FG_INLINE fg_row fg_update(const int actions, fg_row q, const real action, const real alpha,
                           const real target) {
  real x = fg_select(actions, q, action);
  x = x + alpha * (target - x);
  q.x[0] = actions == 2 ? (action == (real)1 ? q.x[0] : x) : (action == (real)0 ? x : q.x[0]);
#define FG_DO(k) q.x[k] = action == (real)k ? x : q.x[k];
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
  return q;
}

/* One agent, as the step sees it; all arrays over lanes. */
typedef struct {
  const real *signal;  /* IN */
  const real *alpha;   /* IN */
  const real *payoffs; /* IN (A, B) */
  real *q;             /* IN OUT (actions, lanes) */
  same_width *flips;   /* IN OUT how often its greedy action changed, where that is counted */
} fg_agent;

FG_INLINE void fg_step(const int A, const int B, const int flips, const int64_t lanes,
                       const fg_agent s, const fg_agent t) {
  const fg_table p = fg_load_table(A, B, s.payoffs), r = fg_load_table(A, B, t.payoffs);
  const int64_t end = lanes & ~(int64_t)15; /* a multiple of 16 it is: no loop for a remainder */
  FG_LANES
  for (int64_t i = 0; i < end; i++) {
    const fg_row q = fg_load(A, lanes, s.q + i), w = fg_load(B, lanes, t.q + i);
    const real a = fg_pick(A, q, s.signal[i]), b = fg_pick(B, w, t.signal[i]);
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

/* fg_step_AB for A, B in 2..FG_PAIR_MAX, and the table of them. */
typedef void (*fg_pair_step)(int flips, int64_t lanes, const fg_agent *s, const fg_agent *t);
#define FG_PAIR(A, B)                                                                          \
  static void fg_step_##A##B(int flips, int64_t lanes, const fg_agent *s, const fg_agent *t) { \
    if (flips)                                                                                 \
      fg_step(A, B, 1, lanes, *s, *t);                                                         \
    else                                                                                       \
      fg_step(A, B, 0, lanes, *s, *t);                                                         \
  }
#define FG_PAIRS(A) FG_PAIR(A, 2) FG_PAIR(A, 3) FG_PAIR(A, 4) FG_PAIR(A, 5)
FG_PAIRS(2) FG_PAIRS(3) FG_PAIRS(4) FG_PAIRS(5)
#define FG_ROW(A) {fg_step_##A##2, fg_step_##A##3, fg_step_##A##4, fg_step_##A##5}
static const fg_pair_step fg_pair_steps[4][4] = {FG_ROW(2), FG_ROW(3), FG_ROW(4), FG_ROW(5)};

#endif
