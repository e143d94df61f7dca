/* Scans of rows of a table: the largest entry and its first index, one lane after the other.
 *
 * Tables of many observations have the layout (lane, observation, action). Rows of more than FG_SHORT entries are padded
 * with -inf to whole cache lines, so scans need no remainder loop. Scans of different lanes are independent, so their
 * cache misses overlap.
 *
 * Intrinsics are used because the index needs a compare into a bit mask, which compiler vector extensions lack; without
 * them a row of 15 doubles takes twice as long.
 */
#ifndef FASTGAMES_ROWS_H
#define FASTGAMES_ROWS_H

#include "draw.h"
#include "simd.h"

#if defined(__AVX512F__) || defined(__AVX2__)
#define FG_BY_VECTORS
enum { FG_WIDTH = FG_REALS };
#if FG_DOUBLE
#define FG_HALF(x, k) _mm512_extractf64x4_pd(x, k)
#define FG_QUARTER(x, k) _mm256_extractf128_pd(x, k)
#define FG_MAX_HALVES _mm256_max_pd
#define FG_MAX_QUARTERS _mm_max_pd
typedef __m256d fg_halves;
typedef __m128d fg_quarters;
#else
#define FG_HALF(x, k) _mm512_extractf32x8_ps(x, k)
#define FG_QUARTER(x, k) _mm256_extractf128_ps(x, k)
#define FG_MAX_HALVES _mm256_max_ps
#define FG_MAX_QUARTERS _mm_max_ps
typedef __m256 fg_halves;
typedef __m128 fg_quarters;
#endif

/* Reduce each of n vectors to its largest element: first the halves, then the quarters, which cost less than whole
 * vectors. */
FG_INLINE void fg_largest(const int n, const fg_reals *m, real *best) {
  fg_halves h[FG_CHAINS];
  fg_quarters g[FG_CHAINS];
#if defined(__AVX512F__)
  FG_EACH(n) { h[k] = FG_MAX_HALVES(FG_HALF(m[k], 0), FG_HALF(m[k], 1)); FG_IN_THIS_ORDER(h[k]) }
#else
  FG_EACH(n) h[k] = m[k];
#endif
  FG_EACH(n) { g[k] = FG_MAX_QUARTERS(FG_QUARTER(h[k], 0), FG_QUARTER(h[k], 1)); FG_IN_THIS_ORDER(g[k]) }
#if FG_DOUBLE
  FG_EACH(n) { g[k] = _mm_max_pd(g[k], _mm_permute_pd(g[k], 1)); FG_IN_THIS_ORDER(g[k]) }
  FG_EACH(n) best[k] = _mm_cvtsd_f64(g[k]);
#else
  FG_EACH(n) { g[k] = _mm_max_ps(g[k], _mm_permute_ps(g[k], 0x4E)); FG_IN_THIS_ORDER(g[k]) }
  FG_EACH(n) { g[k] = _mm_max_ps(g[k], _mm_permute_ps(g[k], 0xB1)); FG_IN_THIS_ORDER(g[k]) }
  FG_EACH(n) best[k] = _mm_cvtss_f32(g[k]);
#endif
}
#else
enum { FG_WIDTH = 1 };
#endif

#if defined(__GNUC__)
#define FG_FETCH(at) __builtin_prefetch(at)
#else
#define FG_FETCH(at)
#endif

enum { FG_SHORT = 4 }; /* rows of up to this many entries are scanned entry by entry */

/* Return the stride of rows in entries: short rows are padded to a power of two, others to whole cache lines, so that no
 * row touches more cache lines than necessary. */
static inline int64_t fg_row_stride(const int64_t actions) {
  const int64_t unit = 64 / (int64_t)sizeof(real);
  int64_t stride = 1;
  if (actions > FG_SHORT) return (actions + unit - 1) / unit * unit;
  while (stride < actions) stride *= 2;
  return stride;
}

/* Kinds of row scans: entry by entry; one to four vectors, without a branch; a loop over more vectors. */
enum { FG_ENTRIES, FG_ONE, FG_TWO, FG_THREE, FG_FOUR, FG_MANY };

FG_INLINE int fg_row_kind(const int64_t actions) {
  const int64_t vectors = (actions + FG_WIDTH - 1) / FG_WIDTH;
  if (FG_WIDTH == 1 || actions <= FG_SHORT) return FG_ENTRIES;
  return vectors < FG_MANY ? (int)vectors : FG_MANY;
}

#if defined(FG_BY_VECTORS)
/* Find the largest entry of each of n rows of one to four vectors, and its index, the lowest on ties. The scan of a row
 * is one chain of dependent operations, so n of them are interleaved; see FG_CHAINS in simd.h. */
FG_INLINE void fg_scan_vectors(const int kind, const int n, const real *const *row, real *best, int32_t *where) {
  fg_reals u[4][FG_CHAINS], m[FG_CHAINS];
  FG_EACH(n) m[k] = u[0][k] = fg_load_reals(row[k]);
  if (kind > FG_ONE) FG_EACH(n) m[k] = fg_larger(m[k], u[1][k] = fg_load_reals(row[k] + FG_WIDTH));
  if (kind > FG_TWO) FG_EACH(n) m[k] = fg_larger(m[k], u[2][k] = fg_load_reals(row[k] + 2 * FG_WIDTH));
  if (kind > FG_THREE) FG_EACH(n) m[k] = fg_larger(m[k], u[3][k] = fg_load_reals(row[k] + 3 * FG_WIDTH));
  FG_EACH(n) { FG_IN_THIS_ORDER(m[k]) }
  fg_largest(n, m, best);
  FG_EACH(n) { m[k] = fg_every(best[k]); FG_IN_THIS_ORDER(m[k]) }
  FG_EACH(n) {
    uint64_t found = kind > FG_ONE ? fg_equal_to(u[0][k], u[1][k], m[k]) : fg_equal(u[0][k], m[k]);
    if (kind > FG_TWO)
      found |= (kind > FG_THREE ? fg_equal_to(u[2][k], u[3][k], m[k]) : (uint64_t)fg_equal(u[2][k], m[k])) << 2 * FG_WIDTH;
    where[k] = (int32_t)__builtin_ctzll(found);
  }
}

/* Find the same in one row of more than four vectors. Element j of m is the largest of elements j of all vectors, and
 * element j of `at` is minus the index of its vector. */
FG_INLINE int32_t fg_scan_many(const int64_t actions, const real *row, real *best) {
  const fg_reals one = fg_every(1);
  fg_reals m = fg_load_reals(row), at = fg_every(0), c = at;
  for (int64_t k = FG_WIDTH; k < actions; k += FG_WIDTH) {
    const fg_reals x = fg_load_reals(row + k);
    c = c - one;
    at = fg_if(fg_more(x, m), c, at);
    m = fg_larger(m, x);
  }
  fg_largest(1, &m, best);
  const fg_reals all = fg_every(*best), candidates = fg_if(fg_more(all, m), fg_every((real)-INFINITY), at);
  real first;
  fg_largest(1, &candidates, &first);
  const uint32_t found = fg_equal(all, m) & fg_equal(at, fg_every(first));
  return (int32_t)-first * FG_WIDTH + __builtin_ctz(found);
}
#endif

/* Return the index of the largest entry of a row, the lowest on ties; write the entry to `best`. */
FG_INLINE int32_t fg_scan_row(const int kind, const int64_t actions, const real *row, real *best) {
#if defined(FG_BY_VECTORS)
  if (kind == FG_MANY) return fg_scan_many(actions, row, best);
  if (kind != FG_ENTRIES) {
    int32_t found;
    fg_scan_vectors(kind, 1, &row, best, &found);
    return found;
  }
#endif
  real largest = row[0];
  int32_t where = 0;
  for (int32_t c = 1; c < actions; c++) {
    where = row[c] > largest ? c : where;
    largest = row[c] > largest ? row[c] : largest;
  }
  *best = largest;
  return where;
}

enum { FG_ROW_LANES = 32 }; /* largest number of lanes of a block with rows that built-in passes play */

/* Data of one agent for the passes over rows. Arrays over lanes are members, so that one base register addresses all of
 * them; a pointer to each would need more registers than the CPU has. */
typedef struct {
  real alpha[FG_ROW_LANES], gamma[FG_ROW_LANES];
  int64_t first[FG_ROW_LANES];        /* offset of each lane's table in q */
  int64_t row[FG_ROW_LANES];          /* offset of the current observation's row, from fg_find_rows */
  int64_t next_row[FG_ROW_LANES];     /* offset of the next observation's row */
  int64_t entry[FG_ROW_LANES];        /* offset of the entry of the action taken */
  int32_t action[FG_ROW_LANES];
  int32_t prefers[FG_ROW_LANES];      /* the greedy action: current, after learning that of the next observation */
  int32_t next_prefers[FG_ROW_LANES]; /* scratch */
  int32_t flip[FG_ROW_LANES];         /* changes of the greedy action in this step, if watched */
  int64_t lanes;                      /* lanes that hold a replica */
  int64_t wide;                       /* lanes of the block, a multiple of 16 */
  int far;                            /* 1: tables exceed the second-level cache, so rows are prefetched */
  int again;                          /* 1: in some lane the current row is the next row, too */
  int64_t actions;
  int64_t stride;                     /* entries from one row to the next */
  real *q;                            /* the table */
  const real *payoffs;                /* the rewards */
  const int32_t *cell;                /* (lanes,) index of the reward */
  const int32_t *now;                 /* (lanes,) the current observation */
  const int32_t *next;                /* (lanes,) the next observation */
  const int32_t *over;                /* (lanes,) FG_ENDED: the next value is 0; NULL if episodes are never over */
} fg_rows;

enum { FG_ENDED = 1 };

/* Choose the action of an epsilon-greedy agent with known greedy actions and an exponentially falling epsilon: derive
 * the threshold as derive_epsilon does, draw, choose, and advance the recurrence. This fuses five passes, so that
 * intermediate values stay in registers. */
FG_APART void fg_act_while_falling(const int64_t lanes, const int64_t actions,
                                   double *v,               /* IN OUT (lanes,) the recurrence */
                                   const double *factor,    /* IN (lanes,) */
                                   const double *least,     /* IN (lanes,) the floor */
                                   uint32_t *generators,    /* IN OUT (4, lanes) */
                                   const int32_t *prefers,  /* IN (lanes,) */
                                   int32_t *action) {       /* OUT (lanes,) */
  const int64_t end = lanes & ~(int64_t)15;
  FG_LANES
  for (int64_t i = 0; i < end; i++) {
    const double epsilon = v[i] > least[i] ? v[i] : least[i];
    const double t = floor(epsilon * 2147483648.0), s = (double)actions / t;
    fg_generator g = fg_generator_of(generators + i, lanes);
    const real x = FG_OF_REAL(explore_scaled)(fg_word31(&g), (int32_t)(t - 1.0), (real)(t > 0.0 ? s : 0.0), (real)(actions - 1));
    const int32_t explored = (int32_t)x;
    action[i] = explored < 0 ? prefers[i] : explored;
    v[i] = fg_advance(v[i], factor[i]);
    fg_keep_generator(g, generators + i, lanes);
  }
}

/* Compute the offsets of the rows of a step along the lanes, so that fewer instructions separate one lane's cache misses
 * from the next lane's. */
FG_INLINE void fg_find_rows(fg_rows *FG_RESTRICT s) {
  const int64_t end = s->wide & ~(int64_t)15;
  const int32_t stride = (int32_t)s->stride; /* observations * stride < 2^31, see check_game */
  const int32_t *now = s->now, *next = s->next;
  int32_t again = 0;
  FG_LANES
  for (int64_t i = 0; i < end; i++) {
    s->row[i] = s->first[i] + now[i] * stride;
    s->next_row[i] = s->first[i] + next[i] * stride;
    s->entry[i] = s->first[i] + (now[i] * stride + s->action[i]);
    again |= now[i] == next[i];
  }
  s->again = again;
  if (s->far) /* inline, because gcc drops calls of a function that only prefetches */
    for (int64_t i = 0; i < s->lanes; i++) {
      FG_FETCH(s->q + s->next_row[i]);
      FG_FETCH(s->q + s->next_row[i] + 64 / sizeof(real));
    }
}

/* Return the number of rows that are scanned interleaved: as many as fit into the registers. */
FG_INLINE int fg_side_by_side(const int kind) {
#if defined(__AVX512F__)
  return kind == FG_ENTRIES || kind == FG_MANY ? 1 : kind <= FG_TWO ? 4 : 2;
#elif defined(__AVX2__)
  return kind == FG_ENTRIES || kind == FG_MANY ? 1 : 2;
#else
  return 1;
#endif
}

/* Scan the rows at the offsets `at` of lanes i … i + n - 1. */
FG_INLINE void fg_scan_lanes(const int kind, const int n, const fg_rows *s, const int64_t *at, const int64_t i,
                             real *best, int32_t *where) {
  const real *row[FG_CHAINS];
  for (int k = 0; k < n; k++) row[k] = s->q + at[i + k];
#if defined(FG_BY_VECTORS)
  if (kind != FG_ENTRIES && kind != FG_MANY) {
    fg_scan_vectors(kind, n, row, best, where);
    return;
  }
#endif
  for (int k = 0; k < n; k++) where[k] = fg_scan_row(kind, s->actions, row[k], best + k);
}

/* Update the Q-values of one agent. One scan of the next row gives the bootstrap (its maximum) and the next greedy
 * action (its argmax). The updated row is scanned again if changes are watched or if it is the next row, too.
 * fg_find_rows must have run. */
FG_INLINE void fg_learn_lanes(const int kind, const int n, const int ends, const int watched, const int64_t i,
                              fg_rows *FG_RESTRICT s) {
  real best[FG_CHAINS];
  int32_t prefers[FG_CHAINS];
  fg_scan_lanes(kind, n, s, s->next_row, i, best, prefers);
  for (int k = 0; k < n; k++) {
    if (ends) best[k] = s->over[i + k] == FG_ENDED ? (real)0 : best[k];
    const real target = s->payoffs[s->cell[i + k]] + s->gamma[i + k] * best[k];
    real *at = s->q + s->entry[i + k];
    *at = *at + s->alpha[i + k] * (target - *at);
    (watched ? s->next_prefers : s->prefers)[i + k] = prefers[k];
  }
}

FG_INLINE void fg_watch_lanes(const int kind, const int n, const int64_t i, fg_rows *FG_RESTRICT s) {
  real best[FG_CHAINS];
  int32_t prefers[FG_CHAINS];
  fg_scan_lanes(kind, n, s, s->row, i, best, prefers);
  for (int k = 0; k < n; k++) {
    s->flip[i + k] = prefers[k] != s->prefers[i + k];
    s->prefers[i + k] = s->row[i + k] == s->next_row[i + k] ? prefers[k] : s->next_prefers[i + k];
  }
}

FG_INLINE void fg_learn_rows(const int kind, const int ends, const int watched, fg_rows *FG_RESTRICT s) {
  const int n = fg_side_by_side(kind);
  const int64_t lanes = s->lanes;
  int64_t i = 0;
  for (; i + n <= lanes; i += n) fg_learn_lanes(kind, n, ends, watched, i, s);
  for (; i < lanes; i++) fg_learn_lanes(kind, 1, ends, watched, i, s);
  if (watched) {
    for (i = 0; i + n <= lanes; i += n) fg_watch_lanes(kind, n, i, s);
    for (; i < lanes; i++) fg_watch_lanes(kind, 1, i, s);
  } else if (s->again)
    for (i = 0; i < lanes; i++)
      if (s->row[i] == s->next_row[i]) {
        real best;
        s->prefers[i] = fg_scan_row(kind, s->actions, s->q + s->row[i], &best);
      }
}

#define FG_LEARN(KIND)                                                       \
  static void fg_learn_##KIND(const int ends, const int watched, fg_rows *s) { \
    if (ends && watched) fg_learn_rows(KIND, 1, 1, s);                 \
    else if (ends) fg_learn_rows(KIND, 1, 0, s);                       \
    else if (watched) fg_learn_rows(KIND, 0, 1, s);                    \
    else fg_learn_rows(KIND, 0, 0, s);                                 \
  }
FG_LEARN(FG_ENTRIES)
FG_LEARN(FG_ONE)
FG_LEARN(FG_TWO)
FG_LEARN(FG_THREE)
FG_LEARN(FG_FOUR)
FG_LEARN(FG_MANY)

static void fg_learn(const int ends, const int watched, fg_rows *s) {
  static void (*const learn[])(int, int, fg_rows *) = {fg_learn_FG_ENTRIES, fg_learn_FG_ONE, fg_learn_FG_TWO,
                                                       fg_learn_FG_THREE, fg_learn_FG_FOUR, fg_learn_FG_MANY};
  learn[fg_row_kind(s->actions)](ends, watched, s);
}

/* Find the greedy action in the current row of every lane; if `over` is given, only of lanes whose episode is over. */
static void fg_prefer(const int32_t *over, fg_rows *s) {
  const int kind = fg_row_kind(s->actions);
  for (int64_t i = 0; i < s->lanes; i++)
    if (!over || over[i]) {
      real best;
      s->prefers[i] = fg_scan_row(kind, s->actions, s->q + s->first[i] + s->now[i] * s->stride, &best);
    }
}

#endif
