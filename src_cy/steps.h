/* Many steps of a few epsilon-greedy Q-learners with a few actions each, draws included, in registers: generators and
 * tables of a few lanes are loaded once, and stored after all steps. For any payoffs; gamma = 0.
 *
 * An action is encoded as conditions "the action is less than k" (before[k]) for k = 1 … actions - 1. An explored action
 * is less than k iff the word is below a bound; the greedy action is less than k iff the largest of the first k values is
 * at least the largest of the others.
 */
#ifndef FASTGAMES_STEPS_H
#define FASTGAMES_STEPS_H

#include "simd.h"

enum { FG_MOST_ACTIONS = 4, FG_MOST_PLAYERS = 4, FG_MOST_VECTORS = 4 };

/* An agent; arrays are over lanes, except payoffs. */
typedef struct {
  const real *alpha;       /* IN */
  const uint32_t *last;    /* IN explore iff word <= last (^ FG_TOP_BIT) */
  const uint32_t *bounds;  /* IN (actions - 1, lanes) explore an action before k iff word < bounds[k - 1] (^ FG_TOP_BIT) */
  const real *payoffs;     /* IN (joint actions,) */
  real *q;                 /* IN OUT (actions, lanes) */
  uint32_t *generators;    /* IN OUT (4, lanes) */
  same_width *flips;       /* IN OUT changes of its greedy action, if counted */
} fg_player;

typedef void (*fg_steps)(int flips, int64_t lanes, int64_t steps, const fg_player *players);

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

#define FG_UNROLLED(k, first, end) _Pragma("GCC unroll 4") for (int k = first; k < end; k++)
#define FG_EACH_PART FG_UNROLLED(j, 0, FG_PARTS)

/* One agent's data for the lanes of one vector of words. */
typedef struct {
  fg_generators g;
  fg_reals q[FG_MOST_ACTIONS][FG_PARTS];
  fg_mask greedy[FG_MOST_ACTIONS][FG_PARTS]; /* the greedy action is before k, if flips are counted */
  fg_wholes flips[FG_PARTS];
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

FG_INLINE fg_hand fg_take(const int flips, const int actions, const fg_player *p, const int64_t lanes, const int64_t i) {
  fg_hand h;
  h.g = fg_load_generators(p->generators + i, lanes);
  FG_EACH_PART {
    FG_UNROLLED(k, 0, actions) h.q[k][j] = fg_load_reals(p->q + k * lanes + i + j * FG_REALS);
    if (flips) {
      fg_mask before[FG_MOST_ACTIONS];
      fg_find_greedy(actions, &h, j, fg_all_lanes(), before);
      FG_UNROLLED(k, 1, actions) h.greedy[k][j] = before[k];
      h.flips[j] = (fg_wholes){0};
    }
  }
  return h;
}

FG_INLINE void fg_put(const int flips, const int actions, const fg_hand *h, const fg_player *p, const int64_t lanes,
                      const int64_t i) {
  fg_store_generators(h->g, p->generators + i, lanes);
  FG_EACH_PART {
    FG_UNROLLED(k, 0, actions) fg_store_reals(p->q + k * lanes + i + j * FG_REALS, h->q[k][j]);
    if (flips) *(fg_wholes *)(p->flips + i + j * FG_REALS) += h->flips[j];
  }
}

typedef struct {
  fg_mask before[FG_MOST_ACTIONS][FG_PARTS];
} fg_action;

/* Draw an agent's next word and return its action. */
FG_INLINE fg_action fg_play(const int actions, fg_hand *h, const fg_player *p, const int64_t lanes, const int64_t i) {
  const fg_words word = fg_next_words(&h->g) ^ FG_TOP_BIT;
  const fg_bits greedy = fg_below(fg_load_words(p->last + i), word);
  fg_bits low[FG_MOST_ACTIONS];
  fg_action a;
  FG_UNROLLED(k, 1, actions) low[k] = fg_below(word, fg_load_words(p->bounds + (k - 1) * lanes + i));
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

/* q[action] += alpha (reward - q[action]) */
FG_INLINE void fg_learn_one_of(const int actions, fg_hand *h, const fg_action *a, const int j, const fg_reals alpha,
                               const fg_reals reward) {
  fg_reals x = h->q[actions - 1][j];
  FG_UNROLLED(k, 1, actions) x = fg_if(a->before[actions - k][j], h->q[actions - 1 - k][j], x);
  x = x + alpha * (reward - x);
  h->q[0][j] = fg_if(a->before[1][j], x, h->q[0][j]);
  FG_UNROLLED(k, 1, actions - 1)
    h->q[k][j] = fg_if(fg_and_not(a->before[k + 1][j], a->before[k][j]), x, h->q[k][j]);
  h->q[actions - 1][j] = fg_if(a->before[actions - 1][j], h->q[actions - 1][j], x);
}

/* Do the same for two actions with rewards u and v; this needs one selection fewer. */
FG_INLINE void fg_learn_either(fg_hand *h, const fg_mask first, const int j, const fg_reals alpha, const fg_reals u,
                               const fg_reals v) {
  const fg_reals step = alpha * fg_minus_where(first, u, h->q[0][j], v - h->q[1][j]);
  h->q[0][j] = fg_plus_where(first, h->q[0][j], step);
  h->q[1][j] = fg_plus_where(fg_not(first), h->q[1][j], step);
}

FG_INLINE void fg_learn_two_by_two(fg_hand *g, fg_hand *h, const fg_player *p, const fg_action *a, const fg_action *b,
                                   const int j, const int64_t at) {
  const real *u = p[0].payoffs, *v = p[1].payoffs;
  const fg_mask c = a->before[1][j], d = b->before[1][j];
  fg_learn_either(g, c, j, fg_load_reals(p[0].alpha + at), fg_if(d, fg_every(u[0]), fg_every(u[1])),
                  fg_if(d, fg_every(u[2]), fg_every(u[3])));
  fg_learn_either(h, d, j, fg_load_reals(p[1].alpha + at), fg_if(c, fg_every(v[0]), fg_every(v[2])),
                  fg_if(c, fg_every(v[1]), fg_every(v[3])));
}

/* Take all steps of the lanes of `hands` vectors of words, starting at lane i, for n players with A, B, C, D actions. */
FG_INLINE void fg_take_steps(const int flips, const int hands, const int n, const int A, const int B, const int C,
                             const int D, const int64_t lanes, const int64_t i, const int64_t steps,
                             const fg_player *p) {
  const int actions[FG_MOST_PLAYERS] = {A, B, C, D};
  const int joint = A * B * (n > 2 ? C : 1) * (n > 3 ? D : 1);
  fg_hand h[FG_HANDS][FG_MOST_PLAYERS];
#if defined(__AVX512F__)
  const int vectors = joint <= FG_REALS ? 1 : joint <= 2 * FG_REALS ? 2 : 4;
  fg_reals payoffs[FG_MOST_PLAYERS][FG_MOST_VECTORS];
  FG_UNROLLED(m, 0, n) FG_UNROLLED(k, 0, vectors) payoffs[m][k] = fg_load_entries(p[m].payoffs, joint, k);
#endif
  FG_UNROLLED(s, 0, hands) FG_UNROLLED(m, 0, n) h[s][m] = fg_take(flips, actions[m], p + m, lanes, i + s * FG_WORDS);
  for (int64_t t = 0; t < steps; t++)
    FG_UNROLLED(s, 0, hands) {
      const int64_t at = i + s * FG_WORDS;
      fg_action a[FG_MOST_PLAYERS];
      FG_UNROLLED(m, 0, n) a[m] = fg_play(actions[m], &h[s][m], p + m, lanes, at);
      FG_EACH_PART {
        if (n == 2 && joint == 4)
          fg_learn_two_by_two(&h[s][0], &h[s][1], p, &a[0], &a[1], j, at + j * FG_REALS);
#if defined(__AVX512F__)
        else {
          fg_wholes index = fg_every_whole(joint - 1);
          int radix = joint;
          FG_UNROLLED(m, 0, n) {
            radix /= actions[m];
            FG_UNROLLED(k, 1, actions[m]) index = fg_less_where(a[m].before[k][j], index, radix);
          }
          FG_UNROLLED(m, 0, n)
            fg_learn_one_of(actions[m], &h[s][m], &a[m], j, fg_load_reals(p[m].alpha + at + j * FG_REALS),
                            fg_permuted(vectors, payoffs[m], index));
        }
#endif
        if (flips) FG_UNROLLED(m, 0, n) fg_count_flips(actions[m], &h[s][m], j);
      }
    }
  FG_UNROLLED(s, 0, hands) FG_UNROLLED(m, 0, n) fg_put(flips, actions[m], &h[s][m], p + m, lanes, i + s * FG_WORDS);
}

FG_INLINE void fg_steps_of(const int flips, const int hands, const int n, const int A, const int B, const int C,
                           const int D, const int64_t lanes, const int64_t steps, const fg_player *p) {
  int64_t i = 0;
  for (; i + hands * FG_WORDS <= lanes; i += hands * FG_WORDS)
    fg_take_steps(flips, hands, n, A, B, C, D, lanes, i, steps, p);
  if (hands > 1 && i < lanes) fg_take_steps(flips, 1, n, A, B, C, D, lanes, i, steps, p);
}

#define FG_DEFINE(NAME, HANDS, n, A, B, C, D)                                                              \
  FG_APART void fg_count_steps_##NAME(const int64_t lanes, const int64_t steps, const fg_player *p) {      \
    fg_steps_of(1, HANDS, n, A, B, C, D, lanes, steps, p);                                                 \
  }                                                                                                        \
  FG_APART void fg_steps_##NAME(const int flips, const int64_t lanes, const int64_t steps, const fg_player *p) { \
    if (flips) fg_count_steps_##NAME(lanes, steps, p);                                                     \
    else fg_steps_of(0, HANDS, n, A, B, C, D, lanes, steps, p);                                            \
  }
FG_DEFINE(22, FG_HANDS, 2, 2, 2, 1, 1)
#if defined(__AVX512F__)
FG_DEFINE(23, 1, 2, 2, 3, 1, 1)
FG_DEFINE(24, 1, 2, 2, 4, 1, 1)
FG_DEFINE(32, 1, 2, 3, 2, 1, 1)
FG_DEFINE(33, 1, 2, 3, 3, 1, 1)
FG_DEFINE(34, 1, 2, 3, 4, 1, 1)
FG_DEFINE(42, 1, 2, 4, 2, 1, 1)
FG_DEFINE(43, 1, 2, 4, 3, 1, 1)
FG_DEFINE(44, 1, 2, 4, 4, 1, 1)
FG_DEFINE(222, 1, 3, 2, 2, 2, 1)
FG_DEFINE(333, 1, 3, 3, 3, 3, 1)
FG_DEFINE(2222, 1, 4, 2, 2, 2, 2)
#endif
#undef FG_DEFINE

/* Return the function for n agents with these numbers of actions, or NULL. */
static fg_steps fg_find_steps(const int n, const int *actions) {
  int code = 0;
  if (n > FG_MOST_PLAYERS) return NULL;
  for (int m = 0; m < n; m++) code = 10 * code + (actions[m] <= FG_MOST_ACTIONS ? actions[m] : 9);
  switch (code) {
    case 22: return fg_steps_22;
#if defined(__AVX512F__)
    case 23: return fg_steps_23;
    case 24: return fg_steps_24;
    case 32: return fg_steps_32;
    case 33: return fg_steps_33;
    case 34: return fg_steps_34;
    case 42: return fg_steps_42;
    case 43: return fg_steps_43;
    case 44: return fg_steps_44;
    case 222: return fg_steps_222;
    case 333: return fg_steps_333;
    case 2222: return fg_steps_2222;
#endif
  }
  return NULL;
}
#else
static fg_steps fg_find_steps(const int n, const int *actions) { return NULL; }
#endif

#endif
