/* Rewards of joint actions, along the lanes. Where a game's payoffs fit into a few vectors, permutations of registers
 * select them, at a fraction of what gathering them from memory costs.
 */
#ifndef FASTGAMES_LOOKUP_H
#define FASTGAMES_LOOKUP_H

#include "simd.h"

#if defined(__AVX512F__)
/* Vector number `at` of a table of so many entries. */
FG_INLINE fg_reals fg_load_entries(const real *table, const int64_t entries, const int64_t at) {
  const int64_t left = entries - at * FG_REALS;
  const uint32_t m = left >= FG_REALS ? ~0u : left > 0 ? (1u << left) - 1 : 0;
  return FG_R(maskz_loadu)((fg_mask)m, table + at * FG_REALS);
}

FG_INLINE __m512i fg_load_indices(const int32_t *at) {
#if FG_DOUBLE
  return _mm512_cvtepi32_epi64(_mm256_load_si256((const __m256i *)at));
#else
  return _mm512_load_si512(at);
#endif
}

/* vectors: 1, 2 or 4 */
FG_INLINE void fg_permute(const int vectors, const int64_t lanes, const int64_t entries, const real *table,
                          const int32_t *index, real *out) {
  const fg_reals a = fg_load_entries(table, entries, 0), b = fg_load_entries(table, entries, 1),
                 c = fg_load_entries(table, entries, 2), d = fg_load_entries(table, entries, 3);
  const __m512i half = FG_I(set1)(2 * FG_REALS);
  for (int64_t i = 0; i < lanes; i += FG_REALS) {
    const __m512i at = fg_load_indices(index + i);
    fg_reals x = vectors == 1 ? FG_R(permutexvar)(at, a) : FG_R(permutex2var)(a, at, b);
    if (vectors == 4) x = fg_if(FG_IM(test)(at, half), FG_R(permutex2var)(c, at, d), x);
    fg_store_reals(out + i, x);
  }
}
#endif

static void fg_look_up(const int64_t lanes,
                       const int64_t entries,
                       const real *FG_RESTRICT table,    /* IN (entries,) */
                       const int32_t *FG_RESTRICT index, /* IN (lanes,) */
                       real *FG_RESTRICT out) {          /* OUT (lanes,) */
#if defined(__AVX512F__)
  if (entries <= FG_REALS) {
    fg_permute(1, lanes, entries, table, index, out);
    return;
  }
  if (entries <= 2 * FG_REALS) {
    fg_permute(2, lanes, entries, table, index, out);
    return;
  }
  if (entries <= 4 * FG_REALS) {
    fg_permute(4, lanes, entries, table, index, out);
    return;
  }
#endif
  for (int64_t i = 0; i < lanes; i++) out[i] = table[index[i]];
}

#endif
