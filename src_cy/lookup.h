/* Lookup of the rewards of joint actions, along the lanes. If a game's payoffs fit into up to four AVX-512 vectors, they
 * are permuted in registers, which costs a fraction of a gather from memory.
 */
#ifndef FASTGAMES_LOOKUP_H
#define FASTGAMES_LOOKUP_H

#include "simd.h"

#if defined(__AVX512F__)
FG_INLINE fg_wholes fg_load_indices(const int32_t *at) {
#if FG_DOUBLE
  return (fg_wholes)_mm512_cvtepi32_epi64(_mm256_load_si256((const __m256i *)at));
#else
  return (fg_wholes)_mm512_load_si512(at);
#endif
}

FG_INLINE void fg_permute(const int vectors, const int64_t lanes, const int64_t entries, const real *table,
                          const int32_t *index, real *out) {
  const fg_reals all[4] = {fg_load_entries(table, entries, 0), fg_load_entries(table, entries, 1),
                           fg_load_entries(table, entries, 2), fg_load_entries(table, entries, 3)};
  for (int64_t i = 0; i < lanes; i += FG_REALS)
    fg_store_reals(out + i, fg_permuted(vectors, all, fg_load_indices(index + i)));
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
