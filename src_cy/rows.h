/* Rows of a table: the largest entry and where it first stands, one lane after the other.
 *
 * Tables of many observations lie as (lane, observation, action). Rows of more than FG_SHORT bytes are padded with
 * -inf to whole vectors: a row is then scanned without a loop for the remainder. Scans of different lanes do not
 * depend on each other, so they overlap each other's cache misses.
 *
 * Why intrinsics: the index needs a compare that ends in a bit mask, which compiler vector extensions do not have;
 * without, a row of 15 doubles takes twice as long.
 */
#ifndef FASTGAMES_ROWS_H
#define FASTGAMES_ROWS_H

#include "draw.h"
#include "real.h"

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__) && FG_DOUBLE
enum { FG_WIDTH = 8 };
typedef __m512d fg_vector;
FG_INLINE fg_vector fg_load_row(const real *x) { return _mm512_load_pd(x); }
FG_INLINE fg_vector fg_larger(fg_vector a, fg_vector b) { return _mm512_max_pd(a, b); }
FG_INLINE fg_vector fg_all(real x) { return _mm512_set1_pd(x); }
FG_INLINE real fg_largest(fg_vector m) { /* of its elements: halves, then quarters, which cost less */
  const __m256d h = _mm256_max_pd(_mm512_castpd512_pd256(m), _mm512_extractf64x4_pd(m, 1));
  const __m128d g = _mm_max_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
  return _mm_cvtsd_f64(_mm_max_pd(g, _mm_permute_pd(g, 1)));
}
FG_INLINE uint32_t fg_equal(fg_vector a, fg_vector b) { return _mm512_cmpeq_pd_mask(a, b); }
FG_INLINE fg_vector fg_less(fg_vector a, fg_vector b) { return _mm512_sub_pd(a, b); }
FG_INLINE fg_vector fg_if_larger(fg_vector a, fg_vector b, fg_vector then, fg_vector otherwise) {
  return _mm512_mask_mov_pd(otherwise, _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ), then);
}
#elif defined(__AVX512F__)
enum { FG_WIDTH = 16 };
typedef __m512 fg_vector;
FG_INLINE fg_vector fg_load_row(const real *x) { return _mm512_load_ps(x); }
FG_INLINE fg_vector fg_larger(fg_vector a, fg_vector b) { return _mm512_max_ps(a, b); }
FG_INLINE fg_vector fg_all(real x) { return _mm512_set1_ps(x); }
FG_INLINE real fg_largest(fg_vector m) {
  const __m256 h = _mm256_max_ps(_mm512_castps512_ps256(m), _mm512_extractf32x8_ps(m, 1));
  const __m128 g = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  const __m128 f = _mm_max_ps(g, _mm_permute_ps(g, 0x4E));
  return _mm_cvtss_f32(_mm_max_ps(f, _mm_permute_ps(f, 0xB1)));
}
FG_INLINE uint32_t fg_equal(fg_vector a, fg_vector b) { return _mm512_cmpeq_ps_mask(a, b); }
FG_INLINE fg_vector fg_less(fg_vector a, fg_vector b) { return _mm512_sub_ps(a, b); }
FG_INLINE fg_vector fg_if_larger(fg_vector a, fg_vector b, fg_vector then, fg_vector otherwise) {
  return _mm512_mask_mov_ps(otherwise, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), then);
}
#elif defined(__AVX2__) && FG_DOUBLE
enum { FG_WIDTH = 4 };
typedef __m256d fg_vector;
FG_INLINE fg_vector fg_load_row(const real *x) { return _mm256_load_pd(x); }
FG_INLINE fg_vector fg_larger(fg_vector a, fg_vector b) { return _mm256_max_pd(a, b); }
FG_INLINE fg_vector fg_all(real x) { return _mm256_set1_pd(x); }
FG_INLINE real fg_largest(fg_vector m) {
  const __m128d g = _mm_max_pd(_mm256_castpd256_pd128(m), _mm256_extractf128_pd(m, 1));
  return _mm_cvtsd_f64(_mm_max_pd(g, _mm_permute_pd(g, 1)));
}
FG_INLINE uint32_t fg_equal(fg_vector a, fg_vector b) {
  return (uint32_t)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_EQ_OQ));
}
FG_INLINE fg_vector fg_less(fg_vector a, fg_vector b) { return _mm256_sub_pd(a, b); }
FG_INLINE fg_vector fg_if_larger(fg_vector a, fg_vector b, fg_vector then, fg_vector otherwise) {
  return _mm256_blendv_pd(otherwise, then, _mm256_cmp_pd(a, b, _CMP_GT_OQ));
}
#elif defined(__AVX2__)
enum { FG_WIDTH = 8 };
typedef __m256 fg_vector;
FG_INLINE fg_vector fg_load_row(const real *x) { return _mm256_load_ps(x); }
FG_INLINE fg_vector fg_larger(fg_vector a, fg_vector b) { return _mm256_max_ps(a, b); }
FG_INLINE fg_vector fg_all(real x) { return _mm256_set1_ps(x); }
FG_INLINE real fg_largest(fg_vector m) {
  const __m128 g = _mm_max_ps(_mm256_castps256_ps128(m), _mm256_extractf128_ps(m, 1));
  const __m128 f = _mm_max_ps(g, _mm_permute_ps(g, 0x4E));
  return _mm_cvtss_f32(_mm_max_ps(f, _mm_permute_ps(f, 0xB1)));
}
FG_INLINE uint32_t fg_equal(fg_vector a, fg_vector b) {
  return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ));
}
FG_INLINE fg_vector fg_less(fg_vector a, fg_vector b) { return _mm256_sub_ps(a, b); }
FG_INLINE fg_vector fg_if_larger(fg_vector a, fg_vector b, fg_vector then, fg_vector otherwise) {
  return _mm256_blendv_ps(otherwise, then, _mm256_cmp_ps(a, b, _CMP_GT_OQ));
}
#else
enum { FG_WIDTH = 1 };
#endif

#if defined(__GNUC__)
#define FG_FETCH(at) __builtin_prefetch(at)
#else
#define FG_FETCH(at)
#endif

enum { FG_SHORT = 32 }; /* bytes; up to here a row is scanned entry by entry */

/* Entries from one row to the next: a row never straddles a cache line that it need not. */
static inline int64_t fg_row_stride(const int64_t actions) {
  const int64_t unit = 64 / (int64_t)sizeof(real);
  int64_t stride = 1;
  if (actions * (int64_t)sizeof(real) > FG_SHORT) return (actions + unit - 1) / unit * unit;
  while (stride < actions) stride *= 2;
  return stride;
}

/* How a row is scanned: entry by entry, as one to four vectors without a branch, or as more. */
enum { FG_ENTRIES, FG_ONE, FG_TWO, FG_THREE, FG_FOUR, FG_MANY };

FG_INLINE int fg_row_kind(const int64_t actions) {
  const int64_t vectors = (actions + FG_WIDTH - 1) / FG_WIDTH;
  if (FG_WIDTH == 1 || actions * (int64_t)sizeof(real) <= FG_SHORT) return FG_ENTRIES;
  return vectors < FG_MANY ? (int)vectors : FG_MANY;
}

/* The index of the largest entry of a row, the lowest on ties; the entry itself goes to `best`. */
FG_INLINE int32_t fg_scan_row(const int kind, const int64_t actions, const real *row, real *best) {
#if defined(__AVX512F__) || defined(__AVX2__)
  if (kind != FG_ENTRIES && kind != FG_MANY) {
    fg_vector u0 = fg_load_row(row), u1 = u0, u2 = u0, u3 = u0;
    if (kind > FG_ONE) u1 = fg_load_row(row + FG_WIDTH);
    if (kind > FG_TWO) u2 = fg_load_row(row + 2 * FG_WIDTH);
    if (kind > FG_THREE) u3 = fg_load_row(row + 3 * FG_WIDTH);
    fg_vector m = kind > FG_ONE ? fg_larger(u0, u1) : u0;
    if (kind > FG_TWO) m = fg_larger(m, kind > FG_THREE ? fg_larger(u2, u3) : u2);
    *best = fg_largest(m);
    m = fg_all(*best);
    uint64_t found = fg_equal(u0, m);
    if (kind > FG_ONE) found |= (uint64_t)fg_equal(u1, m) << FG_WIDTH;
    if (kind > FG_TWO) found |= (uint64_t)fg_equal(u2, m) << 2 * FG_WIDTH;
    if (kind > FG_THREE) found |= (uint64_t)fg_equal(u3, m) << 3 * FG_WIDTH;
    return (int32_t)__builtin_ctzll(found);
  }
  if (kind == FG_MANY) { /* of every column of vectors the largest, and minus the vector it is in, the lowest on ties */
    const fg_vector one = fg_all(1);
    fg_vector m = fg_load_row(row), at = fg_all(0), c = at;
    for (int64_t k = FG_WIDTH; k < actions; k += FG_WIDTH) {
      const fg_vector x = fg_load_row(row + k);
      c = fg_less(c, one);
      at = fg_if_larger(x, m, c, at);
      m = fg_larger(m, x);
    }
    *best = fg_largest(m);
    const fg_vector all = fg_all(*best);
    const real first = fg_largest(fg_if_larger(all, m, fg_all((real)-INFINITY), at));
    const uint32_t found = fg_equal(all, m) & fg_equal(at, fg_all(first));
    return (int32_t)-first * FG_WIDTH + __builtin_ctz(found);
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

enum { FG_ROW_LANES = 32 }; /* lanes of a block whose tables have rows, at most */

/* What the passes over the rows of a seat see. Arrays over lanes stand within: one base register serves them all,
 * where pointers to each would not fit into the registers there are. */
typedef struct {
  real alpha[FG_ROW_LANES], gamma[FG_ROW_LANES];
  int64_t first[FG_ROW_LANES];        /* where the table of each lane begins in q */
  int64_t row[FG_ROW_LANES];          /* the row of the observation now, found by fg_find_rows */
  int64_t next_row[FG_ROW_LANES];     /* that of the observation in the state reached */
  int64_t entry[FG_ROW_LANES];        /* that of the action taken */
  int32_t action[FG_ROW_LANES];
  int32_t prefers[FG_ROW_LANES];      /* the greedy action: now, then in the state reached */
  int32_t next_prefers[FG_ROW_LANES]; /* scratch */
  int32_t flip[FG_ROW_LANES];         /* how often what is greedy changed in this step, where that is watched */
  int64_t lanes;                      /* how many hold a replica */
  int64_t wide;                       /* and that, rounded up to a multiple of 16 */
  int far;                            /* whether the tables are larger than the second cache: rows are fetched ahead */
  int again;                          /* whether any lane's row is that of the state reached, too */
  int64_t actions;
  int64_t stride;                     /* entries from one row to the next */
  real *q;                            /* the table */
  const real *payoffs;                /* the rewards */
  const int32_t *cell;                /* (lanes,) which of them */
  const int32_t *now;                 /* (lanes,) the observation */
  const int32_t *next;                /* (lanes,) that in the state reached */
  const int32_t *over;                /* (lanes,) FG_ENDED where what comes is worth nothing; NULL where nothing ends */
} fg_rows;

enum { FG_ENDED = 1 };

/* What an epsilon-greedy agent with known greedy actions does while its epsilon falls exponentially: the parameter as
 * derive_epsilon has it, the draw, the choice, the recurrence's next value. Five passes in one: what stands between
 * them stays in registers. */
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
    const real x = fg_explore(fg_word31(&g), (int32_t)(t - 1.0), (real)(t > 0.0 ? s : 0.0), (real)(actions - 1));
    const int32_t explored = (int32_t)x;
    action[i] = explored < 0 ? prefers[i] : explored;
    v[i] *= factor[i];
    fg_keep_generator(g, generators + i, lanes);
  }
}

/* Where the rows of a step begin: worked out along the lanes, for fewer instructions from one lane's cache misses to
 * the next one's. */
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
  if (s->far) /* (not a function of its own: gcc takes one that only fetches for one that does nothing) */
    for (int64_t i = 0; i < s->lanes; i++) {
      FG_FETCH(s->q + s->next_row[i]);
      FG_FETCH(s->q + s->next_row[i] + 64 / sizeof(real));
    }
}

/* Q-learning of one agent, a whole step: one scan of the row of the state reached, whose maximum is the bootstrap
 * and whose argmax is the next greedy action. The row that was updated is scanned again where that is watched, or
 * where it is the row of the state reached, too. */
FG_INLINE void fg_learn_rows(const int kind, const int ends, const int watched, fg_rows *FG_RESTRICT s) {
  const int64_t lanes = s->lanes, actions = s->actions;
  const int32_t *cell = s->cell;
  const real *payoffs = s->payoffs;
  real *q = s->q;
  fg_find_rows(s);
  for (int64_t i = 0; i < lanes; i++) {
    real best;
    const int32_t prefers = fg_scan_row(kind, actions, q + s->next_row[i], &best);
    if (ends) best = s->over[i] == FG_ENDED ? (real)0 : best;
    const real target = payoffs[cell[i]] + s->gamma[i] * best;
    real *at = q + s->entry[i];
    *at = *at + s->alpha[i] * (target - *at);
    if (watched)
      s->next_prefers[i] = prefers;
    else
      s->prefers[i] = prefers;
  }
  if (watched)
    for (int64_t i = 0; i < lanes; i++) {
      real best;
      const int32_t prefers = fg_scan_row(kind, actions, q + s->row[i], &best);
      s->flip[i] = prefers != s->prefers[i];
      s->prefers[i] = s->row[i] == s->next_row[i] ? prefers : s->next_prefers[i];
    }
  else if (s->again)
    for (int64_t i = 0; i < lanes; i++)
      if (s->row[i] == s->next_row[i]) {
        real best;
        s->prefers[i] = fg_scan_row(kind, actions, q + s->row[i], &best);
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

/* The greedy action in the row of every lane; of those only whose episode is over where `over` is given. */
static void fg_prefer(const int32_t *over, fg_rows *s) {
  const int kind = fg_row_kind(s->actions);
  for (int64_t i = 0; i < s->lanes; i++)
    if (!over || over[i]) {
      real best;
      s->prefers[i] = fg_scan_row(kind, s->actions, s->q + s->first[i] + s->now[i] * s->stride, &best);
    }
}

#endif
