/* Many steps of two epsilon-greedy Q-learners with two actions each, draws included, with nothing but registers
 * written: generators and tables of a few lanes stay there until all steps are taken. For any payoffs; gamma = 0.
 *
 * What two actions allow: the explored action is 0 iff the word is below `half`, and a choice is a mask.
 */
#ifndef FASTGAMES_TWO_BY_TWO_H
#define FASTGAMES_TWO_BY_TWO_H

#include "simd.h"

/* One of the two agents; all arrays over lanes. */
typedef struct {
  const real *alpha;               /* IN */
  const uint32_t *last, *half;     /* IN explore iff word <= last, then action 0 iff word < half (^ FG_TOP_BIT) */
  const real *payoffs;             /* IN (2, 2) */
  real *q;                         /* IN OUT (2, lanes) */
  uint32_t *generators;            /* IN OUT (4, lanes) */
  same_width *flips;               /* IN OUT how often its greedy action changed, where that is counted */
} fg_player;

#if defined(__GNUC__)
typedef struct {
  fg_words a, b, c, d;
} fg_generators;

FG_INLINE fg_words fg_rotate_words(const fg_words x, const int k) { return (x << k) | (x >> (32 - k)); }

/* The twin of fg_word in draw.h. */
FG_INLINE fg_words fg_next_words(fg_generators *g) {
  const fg_words a = g->a, b = g->b, c = g->c, d = g->d;
  const fg_words e = d ^ b;
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

/* Vectors of words in hand at once: two vectors of reals fill the pipes, more would not fit into the registers. */
enum { FG_HANDS = FG_BYTES == 64 ? 2 / FG_PARTS : 1 };
#define FG_EACH_HAND _Pragma("GCC unroll 2") for (int k = 0; k < hands; k++)
#define FG_EACH_PART _Pragma("GCC unroll 2") for (int j = 0; j < FG_PARTS; j++)

/* One agent's lanes in hand. */
typedef struct {
  fg_generators g;
  fg_reals x[FG_PARTS], y[FG_PARTS]; /* the values of actions 0 and 1 */
  fg_mask first[FG_PARTS];           /* whether action 0 is greedy */
  fg_wholes flips[FG_PARTS];
} fg_hand;

FG_INLINE fg_hand fg_take(const fg_player *p, const int64_t lanes, const int64_t i) {
  fg_hand h;
  h.g = fg_load_generators(p->generators + i, lanes);
  FG_EACH_PART {
    h.x[j] = fg_load_reals(p->q + i + j * FG_REALS);
    h.y[j] = fg_load_reals(p->q + lanes + i + j * FG_REALS);
    h.first[j] = fg_at_most(h.y[j], h.x[j]);
    h.flips[j] = (fg_wholes){0};
  }
  return h;
}

FG_INLINE void fg_put(const int flips, const fg_hand *h, const fg_player *p, const int64_t lanes, const int64_t i) {
  fg_store_generators(h->g, p->generators + i, lanes);
  FG_EACH_PART {
    fg_store_reals(p->q + i + j * FG_REALS, h->x[j]);
    fg_store_reals(p->q + lanes + i + j * FG_REALS, h->y[j]);
    if (flips) *(fg_wholes *)(p->flips + i + j * FG_REALS) += h->flips[j];
  }
}

/* Where its next word has it play action 0. */
FG_INLINE void fg_play(fg_hand *h, const fg_player *p, const int64_t i, fg_mask *zero) {
  const fg_words word = fg_next_words(&h->g) ^ FG_TOP_BIT;
  const fg_bits low = fg_below(word, fg_load_words(p->half + i)), greedy = fg_below(fg_load_words(p->last + i), word);
  FG_EACH_PART zero[j] = fg_or(fg_part(low, j), fg_at_most_where(fg_part(greedy, j), h->y[j], h->x[j]));
}

/* q[action] += alpha (reward - q[action]), where the rewards of actions 0 and 1 would be u and v. */
FG_INLINE void fg_learn_reward(const int flips, fg_hand *h, const int j, const fg_mask zero, const fg_reals alpha,
                               const fg_reals u, const fg_reals v) {
  const fg_reals step = alpha * fg_minus_where(zero, u, h->x[j], v - h->y[j]);
  h->x[j] = fg_plus_where(zero, h->x[j], step);
  h->y[j] = fg_plus_where(fg_not(zero), h->y[j], step);
  if (flips) {
    const fg_mask first = fg_at_most(h->y[j], h->x[j]);
    h->flips[j] = fg_count(h->flips[j], fg_unlike(first, h->first[j]));
    h->first[j] = first;
  }
}

/* All steps of `hands` vectors of words, from lane i on. */
FG_INLINE void fg_lanes_two_by_two(const int flips, const int hands, const int64_t lanes, const int64_t i,
                                   const int64_t steps, const fg_player *p, const fg_player *r) {
  const real *u = p->payoffs, *v = r->payoffs;
  fg_hand a[FG_HANDS], b[FG_HANDS];
  FG_EACH_HAND {
    a[k] = fg_take(p, lanes, i + k * FG_WORDS);
    b[k] = fg_take(r, lanes, i + k * FG_WORDS);
  }
  for (int64_t t = 0; t < steps; t++)
    FG_EACH_HAND {
      const int64_t at = i + k * FG_WORDS;
      fg_mask zero[FG_PARTS], nought[FG_PARTS];
      fg_play(&a[k], p, at, zero);
      fg_play(&b[k], r, at, nought);
      FG_EACH_PART {
        fg_learn_reward(flips, &a[k], j, zero[j], fg_load_reals(p->alpha + at + j * FG_REALS),
                        fg_if(nought[j], fg_every(u[0]), fg_every(u[1])), fg_if(nought[j], fg_every(u[2]), fg_every(u[3])));
        fg_learn_reward(flips, &b[k], j, nought[j], fg_load_reals(r->alpha + at + j * FG_REALS),
                        fg_if(zero[j], fg_every(v[0]), fg_every(v[2])), fg_if(zero[j], fg_every(v[1]), fg_every(v[3])));
      }
    }
  FG_EACH_HAND {
    fg_put(flips, &a[k], p, lanes, i + k * FG_WORDS);
    fg_put(flips, &b[k], r, lanes, i + k * FG_WORDS);
  }
}

FG_INLINE void fg_two_by_two(const int flips, const int64_t lanes, const int64_t steps, const fg_player *p,
                             const fg_player *r) {
  int64_t i = 0;
  for (; i + FG_HANDS * FG_WORDS <= lanes; i += FG_HANDS * FG_WORDS)
    fg_lanes_two_by_two(flips, FG_HANDS, lanes, i, steps, p, r);
  if (FG_HANDS > 1 && i < lanes) fg_lanes_two_by_two(flips, 1, lanes, i, steps, p, r);
}

FG_APART void fg_steps_two_by_two(const int flips, const int64_t lanes, const int64_t steps, const fg_player *p,
                                  const fg_player *r) {
  if (flips)
    fg_two_by_two(1, lanes, steps, p, r);
  else
    fg_two_by_two(0, lanes, steps, p, r);
}

#else
static void fg_steps_two_by_two(int flips, int64_t lanes, int64_t steps, const fg_player *p, const fg_player *r) {}
#endif

#endif
