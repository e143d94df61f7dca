/* Vectors, for kernels that keep a few lanes in registers over many steps: AVX-512, AVX2, or what the compiler makes of
 * 128 bits (SSE, NEON). Twins in name and meaning; each has the type and the masks that its instructions like best.
 *
 * FG_WORDS lanes have their 32-bit words in one vector of words, and their reals in FG_PARTS vectors of FG_REALS reals.
 * Bits are conditions on words, a mask those on one part's reals.
 */
#ifndef FASTGAMES_SIMD_H
#define FASTGAMES_SIMD_H

#include "real.h"

#if defined(__GNUC__)
enum { FG_VECTORS = 1 };

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define FG_BYTES 64
#elif defined(__AVX2__)
#define FG_BYTES 32
#else
#define FG_BYTES 16
#endif

enum {
  FG_WORDS = FG_BYTES / 4,
  FG_REALS = FG_BYTES / (int)sizeof(real),
  FG_PARTS = (int)sizeof(real) / 4
};

typedef uint32_t fg_words __attribute__((vector_size(FG_BYTES)));
typedef real fg_reals __attribute__((vector_size(FG_BYTES)));
typedef same_width fg_wholes __attribute__((vector_size(FG_BYTES))); /* whole numbers as wide as reals */

/* gcc takes what stands side by side one after the other again, unless told that something happens to x here. */
#if defined(__aarch64__)
#define FG_IN_THIS_ORDER(x) __asm__ volatile("" : "+w"(x));
#elif defined(__AVX512F__)
#define FG_IN_THIS_ORDER(x) __asm__ volatile("" : "+v"(x));
#elif defined(__x86_64__)
#define FG_IN_THIS_ORDER(x) __asm__ volatile("" : "+x"(x));
#else
#define FG_IN_THIS_ORDER(x)
#endif

FG_INLINE fg_words fg_load_words(const uint32_t *at) { return *(const fg_words *)at; }
FG_INLINE void fg_store_words(uint32_t *at, const fg_words x) { *(fg_words *)at = x; }
FG_INLINE fg_reals fg_load_reals(const real *at) { return *(const fg_reals *)at; }
FG_INLINE void fg_store_reals(real *at, const fg_reals x) { *(fg_reals *)at = x; }
FG_INLINE fg_reals fg_every(const real x) { return x - (fg_reals){0}; } /* (not 0 + x, which turns -0 into 0) */

#if defined(__AVX512F__)

/* Words are compared as they are. */
enum { FG_TOP_BIT = 0 };
typedef __mmask16 fg_bits;
FG_INLINE fg_bits fg_below(const fg_words a, const fg_words b) {
  return _mm512_cmplt_epu32_mask((__m512i)a, (__m512i)b);
}
FG_INLINE fg_words fg_xor3(const fg_words a, const fg_words b, const fg_words c) {
  return (fg_words)_mm512_ternarylogic_epi32((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
}
#if FG_DOUBLE
typedef __mmask8 fg_mask;
FG_INLINE fg_mask fg_part(const fg_bits m, const int j) {
  return j ? (fg_mask)_kshiftri_mask16(m, 8) : (fg_mask)m;
}
FG_INLINE fg_mask fg_at_most(const fg_reals a, const fg_reals b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
FG_INLINE fg_mask fg_at_most_where(const fg_mask m, const fg_reals a, const fg_reals b) { return _mm512_mask_cmp_pd_mask(m, a, b, _CMP_LE_OQ); }
FG_INLINE fg_mask fg_more(const fg_reals a, const fg_reals b) { return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ); }
FG_INLINE fg_mask fg_or(const fg_mask a, const fg_mask b) { return _kor_mask8(a, b); }
FG_INLINE fg_mask fg_and_not(const fg_mask a, const fg_mask b) { return _kandn_mask8(b, a); }
FG_INLINE fg_mask fg_unlike(const fg_mask a, const fg_mask b) { return _kxor_mask8(a, b); }
FG_INLINE fg_reals fg_if(const fg_mask m, const fg_reals then, const fg_reals otherwise) {
  return _mm512_mask_mov_pd(otherwise, m, then);
}
FG_INLINE fg_wholes fg_count(const fg_wholes n, const fg_mask m) {
  return (fg_wholes)_mm512_mask_sub_epi64((__m512i)n, m, (__m512i)n, _mm512_set1_epi64(-1));
}
#else
typedef __mmask16 fg_mask;
FG_INLINE fg_mask fg_part(const fg_bits m, const int j) { return (void)j, m; }
FG_INLINE fg_mask fg_at_most(const fg_reals a, const fg_reals b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
FG_INLINE fg_mask fg_at_most_where(const fg_mask m, const fg_reals a, const fg_reals b) { return _mm512_mask_cmp_ps_mask(m, a, b, _CMP_LE_OQ); }
FG_INLINE fg_mask fg_more(const fg_reals a, const fg_reals b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
FG_INLINE fg_mask fg_or(const fg_mask a, const fg_mask b) { return _kor_mask16(a, b); }
FG_INLINE fg_mask fg_and_not(const fg_mask a, const fg_mask b) { return _kandn_mask16(b, a); }
FG_INLINE fg_mask fg_unlike(const fg_mask a, const fg_mask b) { return _kxor_mask16(a, b); }
FG_INLINE fg_reals fg_if(const fg_mask m, const fg_reals then, const fg_reals otherwise) {
  return _mm512_mask_mov_ps(otherwise, m, then);
}
FG_INLINE fg_wholes fg_count(const fg_wholes n, const fg_mask m) {
  return (fg_wholes)_mm512_mask_sub_epi32((__m512i)n, m, (__m512i)n, _mm512_set1_epi32(-1));
}
#endif

#else

/* Words are compared as signed ones, with their top bits turned over. */
#define FG_TOP_BIT 0x80000000u
typedef int32_t fg_bits __attribute__((vector_size(FG_BYTES)));
typedef fg_wholes fg_mask;
FG_INLINE fg_bits fg_below(const fg_words a, const fg_words b) { return (fg_bits)a < (fg_bits)b; }
FG_INLINE fg_words fg_xor3(const fg_words a, const fg_words b, const fg_words c) { return a ^ b ^ c; }
FG_INLINE fg_mask fg_at_most(const fg_reals a, const fg_reals b) { return a <= b; }
FG_INLINE fg_mask fg_at_most_where(const fg_mask m, const fg_reals a, const fg_reals b) { return m & (a <= b); }
FG_INLINE fg_mask fg_more(const fg_reals a, const fg_reals b) { return a > b; }
FG_INLINE fg_mask fg_or(const fg_mask a, const fg_mask b) { return a | b; }
FG_INLINE fg_mask fg_and_not(const fg_mask a, const fg_mask b) { return a & ~b; }
FG_INLINE fg_mask fg_unlike(const fg_mask a, const fg_mask b) { return a ^ b; }
FG_INLINE fg_wholes fg_count(const fg_wholes n, const fg_mask m) { return n - m; }
#if defined(__AVX2__) && FG_DOUBLE
FG_INLINE fg_mask fg_part(const fg_bits m, const int j) {
  const __m128i half = j ? _mm256_extracti128_si256((__m256i)m, 1) : _mm256_castsi256_si128((__m256i)m);
  return (fg_mask)_mm256_cvtepi32_epi64(half);
}
FG_INLINE fg_reals fg_if(const fg_mask m, const fg_reals then, const fg_reals otherwise) {
  return _mm256_blendv_pd(otherwise, then, (__m256d)m);
}
#elif defined(__AVX2__)
FG_INLINE fg_mask fg_part(const fg_bits m, const int j) { return (void)j, m; }
FG_INLINE fg_reals fg_if(const fg_mask m, const fg_reals then, const fg_reals otherwise) {
  return _mm256_blendv_ps(otherwise, then, (__m256)m);
}
#else
FG_INLINE fg_mask fg_part(const fg_bits m, const int j) {
#if FG_DOUBLE
  return (fg_mask){m[2 * j], m[2 * j + 1]};
#else
  return (void)j, m;
#endif
}
FG_INLINE fg_reals fg_if(const fg_mask m, const fg_reals then, const fg_reals otherwise) {
  return (fg_reals)(((fg_mask)then & m) | ((fg_mask)otherwise & ~m));
}
#endif
#endif

/* One of four numbers, by two conditions. */
#if defined(__AVX512F__) || (defined(__AVX2__) && !FG_DOUBLE)
typedef fg_reals fg_four; /* over and over: a permutation selects */
FG_INLINE fg_four fg_four_of(const real x, const real y, const real z, const real w) {
#if FG_DOUBLE
  return (fg_four){x, y, z, w, x, y, z, w};
#elif defined(__AVX512F__)
  return (fg_four){x, y, z, w, x, y, z, w, x, y, z, w, x, y, z, w};
#else
  return (fg_four){x, y, z, w, x, y, z, w};
#endif
}
typedef fg_wholes fg_which; /* 2 a + b */
#if defined(__AVX512F__) && FG_DOUBLE
FG_INLINE fg_which fg_which_of(const fg_mask a, const fg_mask b) {
  const __m512i two = _mm512_maskz_mov_epi64(a, _mm512_set1_epi64(2));
  return (fg_which)_mm512_mask_or_epi64(two, b, two, _mm512_set1_epi64(1));
}
FG_INLINE fg_reals fg_one_of(const fg_four x, const fg_which i) { return _mm512_permutexvar_pd((__m512i)i, x); }
#elif defined(__AVX512F__)
FG_INLINE fg_which fg_which_of(const fg_mask a, const fg_mask b) {
  const __m512i two = _mm512_maskz_mov_epi32(a, _mm512_set1_epi32(2));
  return (fg_which)_mm512_mask_or_epi32(two, b, two, _mm512_set1_epi32(1));
}
FG_INLINE fg_reals fg_one_of(const fg_four x, const fg_which i) { return _mm512_permutevar_ps(x, (__m512i)i); }
#else
FG_INLINE fg_which fg_which_of(const fg_mask a, const fg_mask b) { return (a & 2) - b; }
FG_INLINE fg_reals fg_one_of(const fg_four x, const fg_which i) { return _mm256_permutevar_ps(x, (__m256i)i); }
#endif
#else
typedef struct {
  fg_reals x, y, z, w;
} fg_four;
typedef struct {
  fg_mask a, b;
} fg_which;
FG_INLINE fg_four fg_four_of(const real x, const real y, const real z, const real w) {
  const fg_four all = {fg_every(x), fg_every(y), fg_every(z), fg_every(w)};
  return all;
}
FG_INLINE fg_which fg_which_of(const fg_mask a, const fg_mask b) {
  const fg_which i = {a, b};
  return i;
}
FG_INLINE fg_reals fg_one_of(const fg_four p, const fg_which i) {
  return fg_if(i.a, fg_if(i.b, p.w, p.z), fg_if(i.b, p.y, p.x));
}
#endif

#else
enum { FG_VECTORS = 0, FG_TOP_BIT = 0 };
#endif

#endif
