/* Many steps of a few agents with a few actions each, draws included, in registers: generators and tables of a few lanes
 * are loaded once, and stored after all steps. The agents are epsilon-greedy Q-learners or hold a policy that does not
 * change. For any payoffs.
 *
 * An action is encoded as conditions "the action is less than k" (before[k]) for k = 1 … actions - 1. An explored action
 * is less than k iff the word is below a bound; the greedy action is less than k iff the largest of the first k values is
 * at least the largest of the others.
 *
 * In a plain kernel every agent learns and no parameter changes, and whole words are compared with bounds, which are
 * exact. A mixed kernel reads from its agents what they do, and the bounds of every step from memory if epsilon changes:
 *
 *   u = word >> 1 explores iff u < T, and then action a = min(trunc(u s), A - 1), where s is A / T and u s are rounded
 *   (fg_explore_scaled). Without rounding, a < k iff u A / T < k iff u < c, where c = ceil(k T / A). Rounding changes
 *   u A / T by a factor of at most 1 + 4 h, h half a unit in the last place, so it decides only where
 *   |u A / T - k| <= 4 h k, which is |u - k T / A| <= 4 h k T / A < 4 h 2^31.
 *   In double, h = 2^-53 and this is below 1 / A, so that u = k T / A, a whole number: rounding decides only at u = c.
 *   In float, h = 2^-24, k / A <= 5 / 6, and rounding decides only where |u - c| < 427 + 1. At bounds closer than
 *   FG_UNSURE, fg_explore_exactly computes the action as fg_explore_scaled does.
 *   c = trunc(T (k / A) + (1 - 1 / (2 A))): k T / A is a multiple of 1 / A, and the doubles' error is below 1 / (2 A).
 */
#ifndef FASTGAMES_STEPS_H
#define FASTGAMES_STEPS_H

#include <math.h>

#include "simd.h"

enum {
  FG_MOST_ACTIONS = 6,
  FG_MOST_PLAYERS = 4,
  FG_MOST_VECTORS = 5,                /* of payoffs */
  FG_UNSURE = FG_DOUBLE ? 1 : 512,    /* rounding may decide whether a word is below a bound closer than this */
  FG_AHEAD = 32,                      /* steps and lanes for which changing bounds are computed ahead */
  FG_GROUP = 32
};

/* Return floor(x) - 1 for x in 0 … 2^31, which AVX-512 converts to unsigned integers by one instruction. */
FG_INLINE int32_t fg_whole_below(const double x) {
#if defined(__AVX512F__)
  return (int32_t)((uint32_t)x - 1);
#else
  return (int32_t)(floor(x) - 1.0);
#endif
}

/* What agents do: all learn with constant parameters, undiscounted; or as their fg_player says; or all are fixed. */
enum { FG_PLAIN, FG_MIXED, FG_ALL_FIXED };

/* How an agent acts. */
enum { FG_CONSTANT, FG_SCHEDULED, FG_FIXED_POLICY };

/* An agent; arrays are over lanes, except payoffs. */
typedef struct {
  int acts;                 /* FG_CONSTANT (the only one of plain kernels), FG_SCHEDULED or FG_FIXED_POLICY */
  int learns;
  const real *alpha;        /* IN (lanes,), or (steps, lanes) with alpha_moves */
  const real *gamma;        /* IN (lanes,), or NULL: 0 */
  const real *beta;         /* IN (lanes,) step size where the target is below the value, or NULL: alpha */
  /* IN (actions, lanes), or (actions, steps, lanes) with bounds_move.
   * Constant: explore iff word <= row 0, an action before k iff word < row k (all ^ FG_TOP_BIT).
   * Scheduled: explore iff u <= row 0 = T - 1, an action before k iff u < row k, apart from rounding.
   * Fixed: play an action before k iff (word | 1) <= row k (^ FG_TOP_BIT), which 0 makes never and 2^32 - 1 always. */
  const uint32_t *bounds;
  int64_t width;            /* entries from one bound to the next */
  int64_t alpha_moves, bounds_move; /* entries from one step's values to the next step's; 0: they stay */
  const real *payoffs;      /* IN (joint actions,) */
  real *q;                  /* IN OUT (actions, lanes) */
  uint32_t *generators;     /* IN OUT (4, lanes) */
  same_width *flips;        /* IN OUT changes of its greedy action, if counted */
  double *sums;             /* IN OUT rewards, if counted */
} fg_player;

typedef struct {
  int flips;                /* whether they are counted, here and in players */
  int64_t *counts;          /* IN OUT (lanes, joint actions) */
  const int64_t *tallying;  /* IN (lanes,) 1 where joint actions and rewards are counted */
} fg_records;

/* width: lanes of q, generators. records: NULL if nothing is recorded. */
typedef void (*fg_steps)(int agents, int64_t width, int64_t lanes, int64_t steps, const fg_player *players,
                         const fg_records *records);

#if defined(__GNUC__)
typedef struct {
  fg_words a, b, c, d;
} fg_generators;

FG_INLINE fg_words fg_rotate_words(const fg_words x, const int k) { return (x << k) | (x >> (32 - k)); }

/* The twin of fg_word in fastgames/streams.h. */
FG_INLINE fg_words fg_next_words(fg_generators *g) {
  const fg_words a = g->a, b = g->b, c = g->c, d = g->d, e = d ^ b;
  g->a = a ^ e;
  g->b = fg_xor3(b, c, a);
  g->c = fg_xor3(c, a, b << 9);
  g->d = fg_rotate_words(e, 11);
  return fg_rotate_words(a + d, 7) + a;
}

FG_INLINE fg_generators fg_load_generators(const uint32_t *at, const int64_t lanes) {
  const fg_generators g = {fg_load_words(at), fg_load_words(at + lanes), fg_load_words(at + 2 * lanes),
                           fg_load_words(at + 3 * lanes)};
  return g;
}

FG_INLINE void fg_store_generators(const fg_generators g, uint32_t *at, const int64_t lanes) {
  fg_store_words(at, g.a);
  fg_store_words(at + lanes, g.b);
  fg_store_words(at + 2 * lanes, g.c);
  fg_store_words(at + 3 * lanes, g.d);
}

/* Number of vectors of words processed at once: two in AVX-512 builds with float32 tables, else one. With it, generators
 * and tables of two agents with two actions fit into the registers. */
enum { FG_HANDS = FG_BYTES == 64 ? 2 / FG_PARTS : 1 };

#define FG_UNROLLED(k, first, end) _Pragma("GCC unroll 8") for (int k = first; k < end; k++)
#define FG_EACH_PART FG_UNROLLED(j, 0, FG_PARTS)

/* What a kernel records besides tables and generators. */
enum { FG_NOTHING, FG_FLIPS, FG_ALL };

/* Joint actions are counted in whole numbers of a byte, as many as fit into a real, for up to FG_DRAIN steps. */
enum {
  FG_BYTE_COUNTS = (int)sizeof(real),
  FG_MOST_COUNTS = (36 + FG_BYTE_COUNTS - 1) / FG_BYTE_COUNTS,
  FG_DRAIN = 255
};

/* One agent's data for the lanes of one vector of words. */
typedef struct {
  fg_generators g;
  fg_reals q[FG_MOST_ACTIONS][FG_PARTS];
  fg_mask greedy[FG_MOST_ACTIONS][FG_PARTS]; /* the greedy action is before k, if flips are counted */
  fg_wholes flips[FG_PARTS];
  fg_doubles sums[2];
} fg_hand;

/* Set before[k] where the greedy action is before k and `where` holds. */
FG_INLINE void fg_find_greedy(const int actions, const fg_hand *h, const int j, const fg_mask where, fg_mask *before) {
  fg_reals from[FG_MOST_ACTIONS], largest = h->q[0][j];
  from[actions - 1] = h->q[actions - 1][j];
  FG_UNROLLED(k, 1, actions - 1) from[actions - 1 - k] = fg_larger(h->q[actions - 1 - k][j], from[actions - k]);
  FG_UNROLLED(k, 1, actions) {
    before[k] = fg_at_most_where(where, from[k], largest);
    if (k + 1 < actions) largest = fg_larger(largest, h->q[k][j]);
  }
}

FG_INLINE fg_hand fg_take(const int recording, const int actions, const fg_player *p, const int64_t width,
                          const int64_t i) {
  fg_hand h;
  h.g = fg_load_generators(p->generators + i, width);
  FG_EACH_PART FG_UNROLLED(k, 0, actions) h.q[k][j] = fg_load_reals(p->q + k * width + i + j * FG_REALS);
  if (recording) FG_EACH_PART {
    fg_mask before[FG_MOST_ACTIONS];
    fg_find_greedy(actions, &h, j, fg_all_lanes(), before);
    FG_UNROLLED(k, 1, actions) h.greedy[k][j] = before[k];
    h.flips[j] = (fg_wholes){0};
  }
  if (recording == FG_ALL) FG_UNROLLED(k, 0, 2) {
    h.sums[k] = (fg_doubles){0};
    if (p->sums) h.sums[k] = *(const fg_doubles *)(p->sums + i + k * FG_WORDS / 2);
  }
  return h;
}

FG_INLINE void fg_put(const int recording, const int actions, const fg_hand *h, const fg_player *p, const int64_t width,
                      const int64_t i, const fg_records *r) {
  fg_store_generators(h->g, p->generators + i, width);
  FG_EACH_PART FG_UNROLLED(k, 0, actions) fg_store_reals(p->q + k * width + i + j * FG_REALS, h->q[k][j]);
  if (recording == FG_FLIPS || (recording == FG_ALL && r->flips))
    FG_EACH_PART *(fg_wholes *)(p->flips + i + j * FG_REALS) += h->flips[j];
  if (recording == FG_ALL && p->sums) {
    double sums[FG_WORDS] __attribute__((aligned(FG_BYTES)));
    FG_UNROLLED(k, 0, 2) *(fg_doubles *)(sums + k * FG_WORDS / 2) = h->sums[k];
    for (int w = 0; w < FG_WORDS; w++) p->sums[i + w] = r->tallying[i + w] ? sums[w] : p->sums[i + w];
  }
}

typedef struct {
  fg_mask before[FG_MOST_ACTIONS][FG_PARTS];
} fg_action;

/* Return the explored actions of words u as fg_explore_scaled computes them, and `actions` where u does not explore. */
FG_APART fg_words fg_explore_exactly(const int actions, const fg_words u, const uint32_t *threshold) {
  fg_words explored;
  for (int w = 0; w < FG_WORDS; w++) {
    const int32_t last = (int32_t)threshold[w];
    const real scale = (real)(actions / ((double)last + 1.0));
    const real a = FG_OF_REAL(explore_scaled)((int32_t)u[w], last, scale, (real)(actions - 1));
    explored[w] = a < 0 ? (uint32_t)actions : (uint32_t)a;
  }
  return explored;
}

/* Draw an agent's next word and return its action at step t. */
FG_INLINE fg_action fg_play(const int agents, const int actions, fg_hand *h, const fg_player *p, const int64_t i,
                            const int64_t t) {
  const fg_words drawn = fg_next_words(&h->g);
  const uint32_t *bounds = p->bounds + i + (agents == FG_MIXED ? t * p->bounds_move : 0);
  fg_bits greedy, low[FG_MOST_ACTIONS];
  fg_action a;
  if (agents == FG_ALL_FIXED || (agents == FG_MIXED && p->acts == FG_FIXED_POLICY)) {
    const fg_words word = (drawn | 1) ^ FG_TOP_BIT;
    FG_UNROLLED(k, 1, actions) low[k] = fg_not_above(word, fg_load_words(bounds + k * p->width));
    FG_EACH_PART FG_UNROLLED(k, 1, actions) a.before[k][j] = fg_part(low[k], j);
    return a;
  }
  if (agents == FG_MIXED && p->acts == FG_SCHEDULED) {
    const fg_words u = drawn >> 1;
    fg_bits unsure;
    greedy = fg_below_signed(fg_load_words(bounds), u);
    FG_UNROLLED(k, 1, actions) {
      const fg_words bound = fg_load_words(bounds + k * p->width);
      low[k] = fg_below_signed(u, bound);
      unsure = k == 1 ? fg_near(u, bound, FG_UNSURE) : fg_or_bits(unsure, fg_near(u, bound, FG_UNSURE));
    }
    if (__builtin_expect(fg_any(unsure), 0)) {
      const fg_words explored = fg_explore_exactly(actions, u, bounds);
      FG_UNROLLED(k, 1, actions) low[k] = fg_below_signed(explored, fg_every_word((uint32_t)k));
    }
  } else {
    const fg_words word = drawn ^ FG_TOP_BIT;
    greedy = fg_below(fg_load_words(bounds), word);
    FG_UNROLLED(k, 1, actions) low[k] = fg_below(word, fg_load_words(bounds + k * p->width));
  }
  FG_EACH_PART {
    fg_mask before[FG_MOST_ACTIONS];
    fg_find_greedy(actions, h, j, fg_part(greedy, j), before);
    FG_UNROLLED(k, 1, actions) a.before[k][j] = fg_or(fg_part(low[k], j), before[k]);
  }
  return a;
}

FG_INLINE void fg_count_flips(const int actions, fg_hand *h, const int j) {
  fg_mask now[FG_MOST_ACTIONS], changed;
  fg_find_greedy(actions, h, j, fg_all_lanes(), now);
  changed = fg_unlike(now[1], h->greedy[1][j]);
  FG_UNROLLED(k, 2, actions) changed = fg_or(changed, fg_unlike(now[k], h->greedy[k][j]));
  FG_UNROLLED(k, 1, actions) h->greedy[k][j] = now[k];
  h->flips[j] = fg_count(h->flips[j], changed);
}

FG_INLINE fg_reals fg_entry_of(const int actions, const fg_action *a, const int j, const fg_reals *entries) {
  fg_reals x = entries[actions - 1];
  FG_UNROLLED(k, 1, actions) x = fg_if(a->before[actions - k][j], entries[actions - 1 - k], x);
  return x;
}

/* q[action] += step (target - q[action]); target: reward + gamma max q. */
FG_INLINE void fg_learn_one_of(const int mixed, const int actions, fg_hand *h, const fg_player *p, const fg_action *a,
                               const int j, const fg_reals reward, const int64_t at, const int64_t t) {
  fg_reals step = fg_load_reals(p->alpha + at + (mixed ? t * p->alpha_moves : 0)), target = reward;
  fg_reals x = h->q[actions - 1][j];
  FG_UNROLLED(k, 1, actions) x = fg_if(a->before[actions - k][j], h->q[actions - 1 - k][j], x);
  if (mixed && p->gamma) {
    fg_reals best = h->q[0][j];
    FG_UNROLLED(k, 1, actions) best = fg_larger(h->q[k][j], best);
    target = target + fg_load_reals(p->gamma + at) * best;
  }
  if (mixed && p->beta) step = fg_if(fg_more(x, target), fg_load_reals(p->beta + at), step);
  x = x + step * (target - x);
  h->q[0][j] = fg_if(a->before[1][j], x, h->q[0][j]);
  FG_UNROLLED(k, 1, actions - 1)
    h->q[k][j] = fg_if(fg_and_not(a->before[k + 1][j], a->before[k][j]), x, h->q[k][j]);
  h->q[actions - 1][j] = fg_if(a->before[actions - 1][j], h->q[actions - 1][j], x);
}

/* Do the same for two actions with rewards u and v and without gamma and beta; this needs one selection fewer. */
FG_INLINE void fg_learn_either(fg_hand *h, const fg_mask first, const int j, const fg_reals alpha, const fg_reals u,
                               const fg_reals v) {
  const fg_reals step = alpha * fg_minus_where(first, u, h->q[0][j], v - h->q[1][j]);
  h->q[0][j] = fg_plus_where(first, h->q[0][j], step);
  h->q[1][j] = fg_plus_where(fg_not(first), h->q[1][j], step);
}

/* The numbers of actions of n agents, and what follows from them; a constant of every kernel. */
typedef struct {
  int n, actions[FG_MOST_PLAYERS], joint;
} fg_shape;

#if defined(__AVX512F__)
enum { FG_PERMUTES = 1 };
#else
enum { FG_PERMUTES = 0 };
FG_INLINE fg_reals fg_load_entries(const real *table, const int64_t entries, const int64_t at) {
  return (void)table, (void)entries, (void)at, fg_every(0);
}
FG_INLINE fg_reals fg_permuted(const int vectors, const fg_reals *table, const fg_wholes index) {
  return (void)vectors, (void)index, table[0];
}
#if !defined(__AVX2__)
FG_INLINE fg_wholes fg_power_of_2(const fg_wholes n) { return n; } /* for games of two agents with two actions only */
#endif
#endif

/* Return the rewards of the joint actions of two agents, by selection. */
FG_INLINE fg_reals fg_selected(const fg_shape *s, const fg_action *a, const int j, const real *payoffs) {
  fg_reals rows[FG_MOST_ACTIONS], row[FG_MOST_ACTIONS];
  FG_UNROLLED(k, 0, s->actions[0]) {
    FG_UNROLLED(l, 0, s->actions[1]) row[l] = fg_every(payoffs[k * s->actions[1] + l]);
    rows[k] = fg_entry_of(s->actions[1], a + 1, j, row);
  }
  return fg_entry_of(s->actions[0], a, j, rows);
}

/* Let the agents learn, and record the step, in the lanes of part j; at: the first of these lanes. */
FG_INLINE void fg_learn_all(const int recording, const int agents, const fg_shape *s, fg_hand *h, const fg_player *p,
                            const fg_action *a, const fg_reals (*payoffs)[FG_MOST_VECTORS],
                            fg_wholes (*counts)[FG_PARTS], const fg_records *r, const int j, const int64_t at,
                            const int64_t t) {
  const int vectors = s->joint <= FG_REALS ? 1 : s->joint <= 2 * FG_REALS ? 2 : s->joint <= 4 * FG_REALS ? 4 : 5;
  const int two_by_two = s->n == 2 && s->joint == 4;
  fg_wholes index = fg_every_whole(s->joint - 1);
  if (!two_by_two) {
    int radix = s->joint;
    FG_UNROLLED(m, 0, s->n) {
      radix /= s->actions[m];
      FG_UNROLLED(k, 1, s->actions[m]) index = fg_less_where(a[m].before[k][j], index, radix);
    }
  }
  FG_UNROLLED(m, 0, s->n) {
    const int mixed = agents == FG_MIXED, sums = recording == FG_ALL && p[m].sums;
    const int learns = agents == FG_PLAIN || (mixed && p[m].learns);
    const int plainly = agents == FG_PLAIN || (learns && !p[m].gamma && !p[m].beta);
    fg_reals reward;
    if (two_by_two) {
      const real *u = p[m].payoffs;
      const fg_mask mine = a[m].before[1][j], theirs = a[1 - m].before[1][j];
      const fg_reals x = fg_if(theirs, fg_every(u[0]), fg_every(u[m ? 2 : 1]));
      const fg_reals y = fg_if(theirs, fg_every(u[m ? 1 : 2]), fg_every(u[3]));
      reward = fg_if(mine, x, y);
      if (plainly)
        fg_learn_either(h + m, mine, j, fg_load_reals(p[m].alpha + at + (mixed ? t * p[m].alpha_moves : 0)), x, y);
    } else if (learns || sums)
      reward = FG_PERMUTES ? fg_permuted(vectors, payoffs[m], index) : fg_selected(s, a, j, p[m].payoffs);
    if (learns && !(two_by_two && plainly))
      fg_learn_one_of(mixed, s->actions[m], h + m, p + m, a + m, j, reward, at, t);
    if (sums) {
#if FG_DOUBLE
      h[m].sums[j] += reward;
#else
      FG_UNROLLED(k, 0, 2) h[m].sums[k] += fg_as_doubles(reward, k);
#endif
    }
    if (learns && (recording == FG_FLIPS || (recording == FG_ALL && r->flips))) fg_count_flips(s->actions[m], h + m, j);
  }
  if (recording == FG_ALL && r->counts) {
    if (two_by_two) {
      const fg_mask c = a[0].before[1][j], d = a[1].before[1][j];
      const fg_reals x = fg_if(d, (fg_reals)fg_every_whole(1), (fg_reals)fg_every_whole(1 << 8));
      const fg_reals y = fg_if(d, (fg_reals)fg_every_whole(1 << 16), (fg_reals)fg_every_whole(1 << 24));
      counts[0][j] += (fg_wholes)fg_if(c, x, y);
    } else
      for (int k = 0; k * FG_BYTE_COUNTS < s->joint; k++)
        counts[k][j] += fg_power_of_2((index - k * FG_BYTE_COUNTS) << 3);
  }
}

/* Add the counts in bytes to those of the lanes from i on, and reset them. */
FG_INLINE void fg_drain_counts(const int joint, fg_wholes (*counts)[FG_PARTS], const fg_records *r, const int64_t i) {
  for (int w = 0; w < FG_WORDS; w++) {
    const int j = w / FG_REALS, lane = w % FG_REALS;
    if (r->tallying[i + w])
      for (int k = 0; k < joint; k++) {
        const same_width bytes = counts[k / FG_BYTE_COUNTS][j][lane];
        r->counts[(i + w) * joint + k] += (bytes >> 8 * (k % FG_BYTE_COUNTS)) & 255;
      }
  }
  for (int k = 0; k * FG_BYTE_COUNTS < joint; k++) FG_EACH_PART counts[k][j] = (fg_wholes){0};
}

/* Take all steps of the lanes of `hands` vectors of words, starting at lane i. */
FG_INLINE void fg_take_steps(const int recording, const int agents, const int hands, const fg_shape s,
                             const int64_t width, const int64_t i, const int64_t steps, const fg_player *p,
                             const fg_records *r) {
  fg_hand h[FG_HANDS][FG_MOST_PLAYERS];
  fg_reals payoffs[FG_MOST_PLAYERS][FG_MOST_VECTORS];
  fg_wholes counts[FG_HANDS][FG_MOST_COUNTS][FG_PARTS];
  FG_UNROLLED(m, 0, s.n) FG_UNROLLED(k, 0, FG_MOST_VECTORS)
    if (FG_PERMUTES && k * FG_REALS < s.joint) payoffs[m][k] = fg_load_entries(p[m].payoffs, s.joint, k);
    else payoffs[m][k] = fg_every(0);
  FG_UNROLLED(v, 0, hands) {
    FG_UNROLLED(m, 0, s.n) h[v][m] = fg_take(recording, s.actions[m], p + m, width, i + v * FG_WORDS);
    if (recording == FG_ALL)
      for (int k = 0; k < FG_MOST_COUNTS; k++) FG_EACH_PART counts[v][k][j] = (fg_wholes){0};
  }
  for (int64_t t = 0; t < steps;) {
    const int64_t end = recording != FG_ALL || steps - t < FG_DRAIN ? steps : t + FG_DRAIN;
    for (; t < end; t++)
      FG_UNROLLED(v, 0, hands) {
        const int64_t at = i + v * FG_WORDS;
        fg_action a[FG_MOST_PLAYERS];
        FG_UNROLLED(m, 0, s.n) a[m] = fg_play(agents, s.actions[m], &h[v][m], p + m, at, t);
        FG_EACH_PART fg_learn_all(recording, agents, &s, h[v], p, a, payoffs, counts[v], r, j, at + j * FG_REALS, t);
      }
    if (recording == FG_ALL && r->counts)
      FG_UNROLLED(v, 0, hands) fg_drain_counts(s.joint, counts[v], r, i + v * FG_WORDS);
  }
  FG_UNROLLED(v, 0, hands) FG_UNROLLED(m, 0, s.n)
    fg_put(recording, s.actions[m], &h[v][m], p + m, width, i + v * FG_WORDS, r);
}

FG_INLINE void fg_steps_of(const int recording, const int agents, const int hands, const fg_shape s, const int64_t width,
                           const int64_t lanes, const int64_t steps, const fg_player *p, const fg_records *r) {
  int64_t i = 0;
  for (; i + hands * FG_WORDS <= lanes; i += hands * FG_WORDS)
    fg_take_steps(recording, agents, hands, s, width, i, steps, p, r);
  if (hands > 1 && i < lanes) fg_take_steps(recording, agents, 1, s, width, i, steps, p, r);
}

/* Write the values of exponential schedules in the next steps, (steps, FG_GROUP), in the lanes of a few vectors, and
 * advance the schedules. The twin of fg_exponential and fg_advance for values >= 0; the recurrences stay in registers. */
FG_INLINE void fg_fall_in(const int vectors, const int64_t steps, double *first, const double *decay,
                          const double *floor_, double *values) {
  enum { DOUBLES = FG_BYTES / 8 };
  const fg_doubles least = DBL_MIN - (fg_doubles){0};
  fg_doubles x[4];
  FG_UNROLLED(k, 0, vectors) x[k] = *(const fg_doubles *)(first + k * DOUBLES);
  for (int64_t t = 0; t < steps; t++)
    FG_UNROLLED(k, 0, vectors) {
      const fg_doubles end = *(const fg_doubles *)(floor_ + k * DOUBLES);
      *(fg_doubles *)(values + t * FG_GROUP + k * DOUBLES) = fg_at_least(x[k], end);
      x[k] = fg_zero_below(x[k] * *(const fg_doubles *)(decay + k * DOUBLES), least);
    }
  FG_UNROLLED(k, 0, vectors) *(fg_doubles *)(first + k * DOUBLES) = x[k];
}

static void fg_fall(const int64_t lanes, const int64_t steps, double *first, const double *decay, const double *floor_,
                    double *values) {
  enum { DOUBLES = FG_BYTES / 8 };
  int64_t i = 0;
  for (; i + 4 * DOUBLES <= lanes; i += 4 * DOUBLES)
    fg_fall_in(4, steps, first + i, decay + i, floor_ + i, values + i);
  for (; i < lanes; i += DOUBLES) fg_fall_in(1, steps, first + i, decay + i, floor_ + i, values + i);
}

#define FG_DEFINE_KERNEL(NAME, RECORDING, AGENTS, HANDS, ...)                                                        \
  FG_APART void NAME(const int64_t width, const int64_t lanes, const int64_t steps, const fg_player *p,              \
                     const fg_records *r) {                                                                          \
    const fg_shape shape = {__VA_ARGS__};                                                                            \
    fg_steps_of(RECORDING, AGENTS, HANDS, shape, width, lanes, steps, p, r);                                         \
  }
#define FG_DEFINE(NAME, HANDS, ...)                                                                                  \
  FG_DEFINE_KERNEL(fg_plain_##NAME, FG_NOTHING, FG_PLAIN, HANDS, __VA_ARGS__)                                        \
  FG_DEFINE_KERNEL(fg_plain_flips_##NAME, FG_FLIPS, FG_PLAIN, HANDS, __VA_ARGS__)                                    \
  FG_DEFINE_KERNEL(fg_plain_all_##NAME, FG_ALL, FG_PLAIN, HANDS, __VA_ARGS__)                                        \
  FG_DEFINE_KERNEL(fg_mixed_##NAME, FG_NOTHING, FG_MIXED, HANDS, __VA_ARGS__)                                        \
  FG_DEFINE_KERNEL(fg_mixed_flips_##NAME, FG_FLIPS, FG_MIXED, HANDS, __VA_ARGS__)                                    \
  FG_DEFINE_KERNEL(fg_mixed_all_##NAME, FG_ALL, FG_MIXED, HANDS, __VA_ARGS__)                                        \
  FG_DEFINE_KERNEL(fg_fixed_all_##NAME, FG_ALL, FG_ALL_FIXED, HANDS, __VA_ARGS__)                                    \
  static void fg_steps_##NAME(const int agents, const int64_t width, const int64_t lanes, const int64_t steps,       \
                              const fg_player *p, const fg_records *r) {                                             \
    static const fg_kernel kernels[3][3] = {{fg_plain_##NAME, fg_plain_flips_##NAME, fg_plain_all_##NAME},           \
                                            {fg_mixed_##NAME, fg_mixed_flips_##NAME, fg_mixed_all_##NAME},           \
                                            {fg_mixed_##NAME, fg_mixed_flips_##NAME, fg_fixed_all_##NAME}};          \
    const int recording = !r ? FG_NOTHING : r->counts || p[0].sums ? FG_ALL : FG_FLIPS;                              \
    kernels[agents][recording](width, lanes, steps, p, r);                                                           \
  }
typedef void (*fg_kernel)(int64_t width, int64_t lanes, int64_t steps, const fg_player *p, const fg_records *r);
FG_DEFINE(22, FG_HANDS, 2, {2, 2}, 4)
#if defined(__AVX2__)
FG_DEFINE(23, 1, 2, {2, 3}, 6)
FG_DEFINE(32, 1, 2, {3, 2}, 6)
FG_DEFINE(33, 1, 2, {3, 3}, 9)
#endif
#if defined(__AVX512F__)
FG_DEFINE(24, 1, 2, {2, 4}, 8)
FG_DEFINE(34, 1, 2, {3, 4}, 12)
FG_DEFINE(42, 1, 2, {4, 2}, 8)
FG_DEFINE(43, 1, 2, {4, 3}, 12)
FG_DEFINE(44, 1, 2, {4, 4}, 16)
FG_DEFINE(55, 1, 2, {5, 5}, 25)
FG_DEFINE(66, 1, 2, {6, 6}, 36)
FG_DEFINE(222, 1, 3, {2, 2, 2}, 8)
FG_DEFINE(333, 1, 3, {3, 3, 3}, 27)
FG_DEFINE(2222, 1, 4, {2, 2, 2, 2}, 16)
#endif
#undef FG_DEFINE
#undef FG_DEFINE_KERNEL

/* Return the function for n agents with these numbers of actions, or NULL. */
static fg_steps fg_find_steps(const int n, const int *actions) {
  int code = 0;
  if (n > FG_MOST_PLAYERS) return NULL;
  for (int m = 0; m < n; m++) code = 10 * code + (actions[m] <= FG_MOST_ACTIONS ? actions[m] : 9);
  switch (code) {
    case 22: return fg_steps_22;
#if defined(__AVX2__)
    case 23: return fg_steps_23;
    case 32: return fg_steps_32;
    case 33: return fg_steps_33;
#endif
#if defined(__AVX512F__)
    case 24: return fg_steps_24;
    case 34: return fg_steps_34;
    case 42: return fg_steps_42;
    case 43: return fg_steps_43;
    case 44: return fg_steps_44;
    case 55: return fg_steps_55;
    case 66: return fg_steps_66;
    case 222: return fg_steps_222;
    case 333: return fg_steps_333;
    case 2222: return fg_steps_2222;
#endif
  }
  return NULL;
}
#else
static fg_steps fg_find_steps(const int n, const int *actions) { return NULL; }
static void fg_fall(int64_t lanes, int64_t steps, double *first, const double *decay, const double *floor_,
                    double *values) {}
#endif

#endif
