/* Kernels for agents with up to FG_FEW actions, in columns: one pass over the lanes loads a lane's whole column of
 * values. They give the bits of the passes in choose.pxi and learn.pxi, which go over the lanes once for every action.
 *
 * They are in C because gcc vectorises along the lanes only if no inner loop is left: loops over actions are unrolled up
 * to FG_FEW, and the constant number of actions removes the rest.
 */
#ifndef FASTGAMES_FEW_H
#define FASTGAMES_FEW_H

#include "draw.h"

enum { FG_FEW = 5 };
#define FG_FROM_1(actions, DO) \
  if (actions > 1) { DO(1) }   \
  if (actions > 2) { DO(2) }   \
  if (actions > 3) { DO(3) }   \
  if (actions > 4) { DO(4) }

/* One entry per action, `stride` entries apart in memory. Every entry is loaded once and stored once, unconditionally:
 * gcc masks conditional loads and stores, and masked stores are slow to read back. */
typedef struct {
  real x[FG_FEW];
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

/* Return the greedy action, the lowest index on ties. */
FG_INLINE real fg_greedy(const int actions, const fg_row q) {
  real best = q.x[0], action = 0;
#define FG_DO(k)                               \
  action = q.x[k] > best ? (real)k : action;   \
  best = q.x[k] > best ? q.x[k] : best;
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
  return action;
}

/* Return the action: the signal, or the greedy action if the signal is negative. With two actions the signal is a
 * nudge, added to the value of action 0: +inf forces action 0, -inf forces action 1, 0 leaves the greedy action. */
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

/* Return the action sampled from running sums: the number of sums before the last that are <= x times the last. */
FG_INLINE real fg_sample(const int actions, const fg_row sums, const real x) {
  const real limit = x * sums.x[actions - 1];
  real action = sums.x[0] <= limit ? (real)1 : (real)0;
#define FG_DO(k) \
  if (k < actions - 1) action += sums.x[k] <= limit ? (real)1 : (real)0;
  FG_FROM_1(actions, FG_DO)
#undef FG_DO
  return action;
}

enum { FG_EPSILON_GREEDY, FG_FIXED };

FG_INLINE void fg_choose(const int rule, const int actions, const int64_t lanes,
                         const real *FG_RESTRICT q,       /* IN (actions, lanes); fixed: running sums */
                         const real *FG_RESTRICT signals, /* IN (lanes,) */
                         real *FG_RESTRICT action) {      /* OUT (lanes,) */
  const int64_t end = lanes & ~(int64_t)15; /* equals lanes, a multiple of 16; gcc then emits no remainder loop */
  FG_LANES
  for (int64_t i = 0; i < end; i++) {
    const fg_row x = fg_load(actions, lanes, q + i);
    if (rule == FG_EPSILON_GREEDY) {
      const real greedy = fg_greedy(actions, x);
      action[i] = signals[i] < 0 ? greedy : signals[i];
    } else
      action[i] = fg_sample(actions, x, signals[i]);
  }
}

FG_INLINE void fg_learn_few(const int discounted, const int actions, const int64_t lanes,
                            const real *FG_RESTRICT alpha,  /* IN (lanes,) */
                            const real *FG_RESTRICT gamma,  /* IN (lanes,), where discounted */
                            const real *FG_RESTRICT reward, /* IN (lanes,) */
                            const real *FG_RESTRICT action, /* IN (lanes,) */
                            real *FG_RESTRICT q) {          /* IN OUT (actions, lanes) */
  const int64_t end = lanes & ~(int64_t)15;
  FG_LANES
  for (int64_t i = 0; i < end; i++) {
    const fg_row x = fg_load(actions, lanes, q + i);
    real target = reward[i];
    if (discounted) target += gamma[i] * fg_select(actions, x, fg_greedy(actions, x));
    fg_store(actions, lanes, fg_update(actions, x, action[i], alpha[i], target), q + i);
  }
}

/* One function for each number of actions in 2..FG_FEW. */
#define FG_DEFINE(A)                                                                                     \
  static void fg_choose_##A(int rule, int64_t lanes, const real *q, const real *signals, real *action) { \
    if (rule == FG_EPSILON_GREEDY)                                                                       \
      fg_choose(FG_EPSILON_GREEDY, A, lanes, q, signals, action);                                        \
    else                                                                                                 \
      fg_choose(FG_FIXED, A, lanes, q, signals, action);                                                 \
  }                                                                                                      \
  static void fg_learn_##A(int discounted, int64_t lanes, const real *alpha, const real *gamma,          \
                           const real *reward, const real *action, real *q) {                            \
    if (discounted)                                                                                      \
      fg_learn_few(1, A, lanes, alpha, gamma, reward, action, q);                                        \
    else                                                                                                 \
      fg_learn_few(0, A, lanes, alpha, gamma, reward, action, q);                                        \
  }
FG_DEFINE(2) FG_DEFINE(3) FG_DEFINE(4) FG_DEFINE(5)
#undef FG_DEFINE

static void (*const fg_choosers[])(int, int64_t, const real *, const real *, real *) = {
    fg_choose_2, fg_choose_3, fg_choose_4, fg_choose_5};
static void (*const fg_learners[])(int, int64_t, const real *, const real *, const real *, const real *, real *) = {
    fg_learn_2, fg_learn_3, fg_learn_4, fg_learn_5};

#endif
