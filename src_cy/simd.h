/* Vectors, for kernels that keep a few lanes in registers over many steps or operations: AVX-512, AVX2, or the
 * compiler's 128-bit vector extensions (SSE, NEON). The type of a condition depends on the instruction set.
 *
 * The 32-bit words of FG_WORDS lanes fill one vector; their reals fill FG_PARTS vectors of FG_REALS reals. fg_bits are
 * conditions on words, an fg_mask holds the conditions on the reals of one part.
 */
#ifndef FASTGAMES_SIMD_H
#define FASTGAMES_SIMD_H

#include "real.h"

#if defined(__GNUC__)
enum { FG_VECTORS = 1 };

#if defined(__x86_64__)
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
typedef same_width fg_wholes __attribute__((vector_size(FG_BYTES))); /* integers as wide as reals */
typedef double fg_doubles __attribute__((vector_size(FG_BYTES)));
typedef int64_t fg_longs __attribute__((vector_size(FG_BYTES)));

FG_INLINE fg_words fg_load_words(const uint32_t *at) { return *(const fg_words *)at; }
FG_INLINE void fg_store_words(uint32_t *at, const fg_words x) { *(fg_words *)at = x; }
FG_INLINE fg_wholes fg_every_whole(const same_width x) { return x + (fg_wholes){0}; }
FG_INLINE fg_reals fg_load_reals(const real *at) { return *(const fg_reals *)at; }
FG_INLINE void fg_store_reals(real *at, const fg_reals x) { *(fg_reals *)at = x; }
FG_INLINE fg_reals fg_every(const real x) { return x - (fg_reals){0}; } /* not 0 + x, which turns -0 into 0 */
FG_INLINE fg_words fg_every_word(const uint32_t x) { return x + (fg_words){0}; }

/* Compiler barrier: stops GCC from serialising the interleaved chains. */
#if defined(__aarch64__)
#define FG_IN_THIS_ORDER(x) __asm__ volatile("" : "+w"(x));
#elif defined(__AVX512F__)
#define FG_IN_THIS_ORDER(x) __asm__ volatile("" : "+v"(x));
#elif defined(__x86_64__)
#define FG_IN_THIS_ORDER(x) __asm__ volatile("" : "+x"(x));
#else
#define FG_IN_THIS_ORDER(x)
#endif

/* A chain of dependent operations fills the CPU's scheduler, so only two or three consecutive chains overlap. If the
 * chains are interleaved, operation by operation, more of them overlap. */
enum { FG_CHAINS = 8 }; /* largest number of interleaved chains */
#define FG_EACH(n) _Pragma("GCC unroll 8") for (int k = 0; k < n; k++)

#if defined(__AVX512F__)

enum { FG_TOP_BIT = 0 }; /* words are compared as they are */
typedef __mmask16 fg_bits;
FG_INLINE fg_bits fg_below(const fg_words a, const fg_words b) {
  return _mm512_cmplt_epu32_mask((__m512i)a, (__m512i)b);
}
FG_INLINE fg_bits fg_below_signed(const fg_words a, const fg_words b) {
  return _mm512_cmplt_epi32_mask((__m512i)a, (__m512i)b);
}
FG_INLINE fg_bits fg_not_above(const fg_words a, const fg_words b) {
  return _mm512_cmple_epu32_mask((__m512i)a, (__m512i)b);
}
FG_INLINE fg_bits fg_or_bits(const fg_bits a, const fg_bits b) { return _kor_mask16(a, b); }
FG_INLINE int fg_any(const fg_bits a) { return a != 0; }
/* Return where a and b are less than `distance` apart, both in 0 … 2^31 - 1. */
FG_INLINE fg_bits fg_near(const fg_words a, const fg_words b, const int distance) {
  if (distance == 1) return _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b);
  return fg_below(a - b + (uint32_t)(distance - 1), fg_every_word(2 * (uint32_t)distance - 1));
}
FG_INLINE fg_words fg_xor3(const fg_words a, const fg_words b, const fg_words c) {
  return (fg_words)_mm512_ternarylogic_epi32((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
}
#if FG_DOUBLE
typedef __mmask8 fg_mask;
#define FG_R(operation) _mm512_##operation##_pd
#define FG_RM(operation) _mm512_##operation##_pd_mask
#define FG_I(operation) _mm512_##operation##_epi64
#define FG_IM(operation) _mm512_##operation##_epi64_mask
#define FG_M(operation) _##operation##_mask8
FG_INLINE fg_mask fg_part(const fg_bits m, const int j) {
  return j ? (fg_mask)_kshiftri_mask16(m, 8) : (fg_mask)m;
}
#else
typedef __mmask16 fg_mask;
#define FG_R(operation) _mm512_##operation##_ps
#define FG_RM(operation) _mm512_##operation##_ps_mask
#define FG_I(operation) _mm512_##operation##_epi32
#define FG_IM(operation) _mm512_##operation##_epi32_mask
#define FG_M(operation) _##operation##_mask16
FG_INLINE fg_mask fg_part(const fg_bits m, const int j) { return (void)j, m; }
#endif
FG_INLINE fg_reals fg_larger(const fg_reals a, const fg_reals b) { return FG_R(max)(a, b); }
FG_INLINE uint32_t fg_equal(const fg_reals a, const fg_reals b) { return FG_RM(cmpeq)(a, b); }
FG_INLINE uint64_t fg_equal_to(const fg_reals a, const fg_reals b, const fg_reals x) { /* a's bits, then b's */
#if FG_DOUBLE
  return _mm512_kunpackb(FG_RM(cmpeq)(b, x), FG_RM(cmpeq)(a, x));
#else
  return _mm512_kunpackw(FG_RM(cmpeq)(b, x), FG_RM(cmpeq)(a, x));
#endif
}
FG_INLINE fg_mask fg_more(const fg_reals a, const fg_reals b) { return FG_RM(cmp)(a, b, _CMP_GT_OQ); }
FG_INLINE fg_mask fg_at_most(const fg_reals a, const fg_reals b) { return FG_RM(cmp)(a, b, _CMP_LE_OQ); }
FG_INLINE fg_mask fg_at_most_where(const fg_mask m, const fg_reals a, const fg_reals b) {
  return FG_RM(mask_cmp)(m, a, b, _CMP_LE_OQ);
}
FG_INLINE fg_mask fg_not(const fg_mask a) { return FG_M(knot)(a); }
FG_INLINE fg_mask fg_or(const fg_mask a, const fg_mask b) { return FG_M(kor)(a, b); }
FG_INLINE fg_mask fg_and_not(const fg_mask a, const fg_mask b) { return FG_M(kandn)(b, a); }
FG_INLINE fg_mask fg_unlike(const fg_mask a, const fg_mask b) { return FG_M(kxor)(a, b); }
FG_INLINE fg_reals fg_if(const fg_mask m, const fg_reals then, const fg_reals otherwise) {
  return FG_R(mask_mov)(otherwise, m, then);
}
FG_INLINE fg_reals fg_plus_where(const fg_mask m, const fg_reals a, const fg_reals b) {
  return FG_R(mask_add)(a, m, a, b);
}
FG_INLINE fg_reals fg_minus_where(const fg_mask m, const fg_reals a, const fg_reals b, const fg_reals otherwise) {
  return FG_R(mask_sub)(otherwise, m, a, b);
}
FG_INLINE fg_mask fg_all_lanes(void) { return (fg_mask)-1; }
FG_INLINE fg_wholes fg_less_where(const fg_mask m, const fg_wholes a, const int x) { /* a - x */
  return (fg_wholes)FG_I(mask_sub)((__m512i)a, m, (__m512i)a, FG_I(set1)(x));
}
FG_INLINE fg_wholes fg_count(const fg_wholes n, const fg_mask m) {
  return (fg_wholes)FG_I(mask_sub)((__m512i)n, m, (__m512i)n, FG_I(set1)(-1));
}

/* Load vector number `at` of a table of `entries` entries; entries past the end are 0. */
FG_INLINE fg_reals fg_load_entries(const real *table, const int64_t entries, const int64_t at) {
  const int64_t left = entries - at * FG_REALS;
  const uint32_t m = left >= FG_REALS ? ~0u : left > 0 ? (1u << left) - 1 : 0;
  return FG_R(maskz_loadu)((fg_mask)m, table + at * FG_REALS);
}
/* Return the entries at `index` of a table held in 1, 2, 4 or 5 vectors. */
FG_INLINE fg_reals fg_permuted(const int vectors, const fg_reals *table, const fg_wholes index) {
  const __m512i at = (__m512i)index;
  if (vectors == 1) return FG_R(permutexvar)(at, table[0]);
  const fg_reals x = FG_R(permutex2var)(table[0], at, table[1]);
  if (vectors == 2) return x;
  const fg_mask upper = (fg_mask)FG_IM(test)(at, FG_I(set1)(2 * FG_REALS));
  const fg_reals y = fg_if(upper, FG_R(permutex2var)(table[2], at, table[3]), x);
  if (vectors == 4) return y;
  return fg_if((fg_mask)FG_IM(test)(at, FG_I(set1)(4 * FG_REALS)), FG_R(permutexvar)(at, table[4]), y);
}
/* Return 2^n for n in 0 … bits - 1 (bits of a real), 0 for other n. */
FG_INLINE fg_wholes fg_power_of_2(const fg_wholes n) {
  return (fg_wholes)FG_I(sllv)(FG_I(set1)(1), (__m512i)n);
}

#else

#define FG_TOP_BIT 0x80000000u /* words are compared as signed integers, with their top bit inverted */
typedef int32_t fg_bits __attribute__((vector_size(FG_BYTES)));
typedef fg_wholes fg_mask;
FG_INLINE fg_bits fg_below(const fg_words a, const fg_words b) { return (fg_bits)a < (fg_bits)b; }
FG_INLINE fg_bits fg_below_signed(const fg_words a, const fg_words b) { return fg_below(a, b); }
FG_INLINE fg_bits fg_not_above(const fg_words a, const fg_words b) { return ~fg_below(b, a); }
FG_INLINE fg_bits fg_or_bits(const fg_bits a, const fg_bits b) { return a | b; }
FG_INLINE int fg_any(const fg_bits a) {
#if defined(__AVX2__)
  return !_mm256_testz_si256((__m256i)a, (__m256i)a);
#elif defined(__x86_64__)
  return _mm_movemask_epi8((__m128i)a) != 0;
#else
  return (a[0] | a[1] | a[2] | a[3]) != 0;
#endif
}
/* Return where a and b are less than `distance` apart, both in 0 … 2^31 - 1. */
FG_INLINE fg_bits fg_near(const fg_words a, const fg_words b, const int distance) {
  if (distance == 1) return (fg_bits)(a == b);
  return ((fg_bits)(a - b) < distance) & ((fg_bits)(a - b) > -distance);
}
FG_INLINE fg_words fg_xor3(const fg_words a, const fg_words b, const fg_words c) { return a ^ b ^ c; }
FG_INLINE fg_mask fg_part(const fg_bits m, const int j) {
#if !FG_DOUBLE
  return (void)j, m;
#elif defined(__AVX2__)
  const __m128i half = j ? _mm256_extracti128_si256((__m256i)m, 1) : _mm256_castsi256_si128((__m256i)m);
  return (fg_mask)_mm256_cvtepi32_epi64(half);
#else
  return (fg_mask){m[2 * j], m[2 * j + 1]};
#endif
}
#if defined(__AVX2__)
#if FG_DOUBLE
FG_INLINE fg_reals fg_larger(const fg_reals a, const fg_reals b) { return _mm256_max_pd(a, b); }
FG_INLINE uint32_t fg_equal(const fg_reals a, const fg_reals b) { return (uint32_t)_mm256_movemask_pd((__m256d)(a == b)); }
#else
FG_INLINE fg_reals fg_larger(const fg_reals a, const fg_reals b) { return _mm256_max_ps(a, b); }
FG_INLINE uint32_t fg_equal(const fg_reals a, const fg_reals b) { return (uint32_t)_mm256_movemask_ps((__m256)(a == b)); }
#endif
FG_INLINE uint64_t fg_equal_to(const fg_reals a, const fg_reals b, const fg_reals x) { /* a's bits, then b's */
  return fg_equal(a, x) | (uint64_t)fg_equal(b, x) << FG_REALS;
}
#endif
FG_INLINE fg_mask fg_all_lanes(void) { return (fg_mask){0} == 0; }
FG_INLINE fg_mask fg_more(const fg_reals a, const fg_reals b) { return a > b; }
FG_INLINE fg_mask fg_at_most(const fg_reals a, const fg_reals b) { return a <= b; }
FG_INLINE fg_mask fg_at_most_where(const fg_mask m, const fg_reals a, const fg_reals b) { return m & (a <= b); }
FG_INLINE fg_mask fg_not(const fg_mask a) { return ~a; }
FG_INLINE fg_mask fg_or(const fg_mask a, const fg_mask b) { return a | b; }
FG_INLINE fg_mask fg_and_not(const fg_mask a, const fg_mask b) { return a & ~b; }
FG_INLINE fg_mask fg_unlike(const fg_mask a, const fg_mask b) { return a ^ b; }
FG_INLINE fg_reals fg_if(const fg_mask m, const fg_reals then, const fg_reals otherwise) {
#if defined(__AVX2__) && FG_DOUBLE
  return _mm256_blendv_pd(otherwise, then, (__m256d)m);
#elif defined(__AVX2__)
  return _mm256_blendv_ps(otherwise, then, (__m256)m);
#else
  return (fg_reals)(((fg_mask)then & m) | ((fg_mask)otherwise & ~m));
#endif
}
#if !defined(__AVX2__)
FG_INLINE fg_reals fg_larger(const fg_reals a, const fg_reals b) { return fg_if(a > b, a, b); }
#endif
FG_INLINE fg_reals fg_plus_where(const fg_mask m, const fg_reals a, const fg_reals b) { return fg_if(m, a + b, a); }
FG_INLINE fg_reals fg_minus_where(const fg_mask m, const fg_reals a, const fg_reals b, const fg_reals otherwise) {
  return fg_if(m, a - b, otherwise);
}
FG_INLINE fg_wholes fg_count(const fg_wholes n, const fg_mask m) { return n - m; }
FG_INLINE fg_wholes fg_less_where(const fg_mask m, const fg_wholes a, const int x) { return a - (m & x); } /* a - x */
#if defined(__AVX2__)
FG_INLINE fg_wholes fg_power_of_2(const fg_wholes n) { /* 2^n for n in 0 … bits - 1 (bits of a real), 0 for other n */
#if FG_DOUBLE
  return (fg_wholes)_mm256_sllv_epi64(_mm256_set1_epi64x(1), (__m256i)n);
#else
  return (fg_wholes)_mm256_sllv_epi32(_mm256_set1_epi32(1), (__m256i)n);
#endif
}
#endif
#endif

/* Return x where it is more than `least`, else `least`. */
FG_INLINE fg_doubles fg_at_least(const fg_doubles x, const fg_doubles least) {
#if defined(__AVX512F__)
  return _mm512_max_pd(x, least);
#else
  const fg_longs m = x > least;
  return (fg_doubles)(((fg_longs)x & m) | ((fg_longs)least & ~m));
#endif
}
/* Return x where it is at least `least`, else 0. */
FG_INLINE fg_doubles fg_zero_below(const fg_doubles x, const fg_doubles least) {
#if defined(__AVX512F__)
  return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x, least, _CMP_GE_OQ), x);
#else
  return (fg_doubles)((fg_longs)x & (x >= least));
#endif
}

/* Half number h of x as doubles; for doubles x itself. */
FG_INLINE fg_doubles fg_as_doubles(const fg_reals x, const int h) {
#if FG_DOUBLE
  return (void)h, x;
#elif defined(__AVX512F__)
  return _mm512_cvtps_pd(h ? _mm512_extractf32x8_ps(x, 1) : _mm512_castps512_ps256(x));
#elif defined(__AVX2__)
  return _mm256_cvtps_pd(h ? _mm256_extractf128_ps(x, 1) : _mm256_castps256_ps128(x));
#elif defined(__x86_64__)
  return _mm_cvtps_pd(h ? _mm_movehl_ps(x, x) : (__m128)x);
#else
  return (fg_doubles){x[2 * h], x[2 * h + 1]};
#endif
}

#else
enum { FG_VECTORS = 0, FG_TOP_BIT = 0, FG_CHAINS = 1 };
#endif

#endif
