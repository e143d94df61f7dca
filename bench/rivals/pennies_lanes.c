/* W1 by hand under our own stream contract: the fastest kernel we know for this one game and these two
 * learners that gives the very bits of fastgames.run. One xoshiro128++ word per agent and step, explored iff
 * word <= last, action 1 then iff word >= half; a payoff is 1 or -1 by the two actions. It knows what a general
 * kernel cannot: the payoffs, that all lanes share alpha and epsilon, that nothing is recorded, that gamma is 0.
 * AVX-512: generators and tables stay in registers for the whole run.
 *
 *     pennies_lanes f32|f64 steps replicas alpha last half rounds < streams > tables
 *
 * streams: uint32 (replicas, 2 agents, 4); tables: (replicas, 2 agents, 2 actions) of the type; game-steps a
 * second of each round, in CPU time, to standard error. replicas: a multiple of LANES. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef __AVX512F__
int main(void) {
  fputs("this CPU has no AVX-512\n", stderr);
  return 3;
}
#else
#include <immintrin.h>

enum { LANES = 32 };
typedef __m512i words;
typedef __m512 floats;
typedef __m512d doubles;

/* A group of 16 lanes: generators a..d of agent 0, e..h of agent 1, then the tables. */
typedef struct { uint32_t generators[8][16]; float tables[4][16]; } group32;
typedef struct { uint32_t generators[8][16]; double tables[4][16]; } group64;

/* Each lane's next word. Nine instructions: the three-way xors save one. */
static inline __attribute__((always_inline)) words next(words *a, words *b, words *c, words *d) {
  const words e = _mm512_xor_si512(*d, *b), shifted = _mm512_slli_epi32(*b, 9);
  const words word = _mm512_add_epi32(_mm512_rol_epi32(_mm512_add_epi32(*a, *d), 7), *a);
  *b = _mm512_ternarylogic_epi32(*b, *c, *a, 0x96);
  *c = _mm512_ternarylogic_epi32(*c, *a, shifted, 0x96);
  *a = _mm512_xor_si512(*a, e);
  *d = _mm512_rol_epi32(e, 11);
  return word;
}

/* Action 1 iff word >= half and not (word > last and the first action is greedy). */
static inline __attribute__((always_inline)) __mmask16 choose32(words word, words last, words half,
                                                                floats q0, floats q1) {
  const __mmask16 greedy0 = _mm512_cmp_ps_mask(q1, q0, _CMP_LE_OQ);
  return _kandn_mask16(_mm512_mask_cmp_epu32_mask(greedy0, word, last, _MM_CMPINT_NLE),
                       _mm512_cmp_epu32_mask(word, half, _MM_CMPINT_NLT));
}

/* q[action] += alpha (r - q[action]). Agent 1 gets -r: q - alpha (r + q) is the same bits. */
#define LEARN32(K, R, TARGET, STEP, Q0, Q1)                                                      \
  {                                                                                              \
    floats x = _mm512_mask_blend_ps(K, Q0, Q1);                                                  \
    x = STEP(x, _mm512_mul_ps(TARGET(R, x), alpha));                                             \
    Q1 = _mm512_mask_mov_ps(Q1, K, x);                                                           \
    Q0 = _mm512_mask_blend_ps(K, x, Q0);                                                         \
  }

#define STEP32(n)                                                                                \
  {                                                                                              \
    const words v = next(&a##n, &b##n, &c##n, &d##n), w = next(&e##n, &f##n, &g##n, &h##n);      \
    const __mmask16 i = choose32(v, last, half, q0##n, q1##n), j = choose32(w, last, half, p0##n, p1##n); \
    const floats r = _mm512_mask_blend_ps(_kxor_mask16(i, j), one, minus);                       \
    LEARN32(i, r, _mm512_sub_ps, _mm512_add_ps, q0##n, q1##n)                                    \
    LEARN32(j, r, _mm512_add_ps, _mm512_sub_ps, p0##n, p1##n)                                    \
  }

#define LOAD_GENERATORS(n)                                                                       \
  words a##n = _mm512_loadu_si512(at[n].generators[0]), b##n = _mm512_loadu_si512(at[n].generators[1]), \
        c##n = _mm512_loadu_si512(at[n].generators[2]), d##n = _mm512_loadu_si512(at[n].generators[3]), \
        e##n = _mm512_loadu_si512(at[n].generators[4]), f##n = _mm512_loadu_si512(at[n].generators[5]), \
        g##n = _mm512_loadu_si512(at[n].generators[6]), h##n = _mm512_loadu_si512(at[n].generators[7]);

/* Two groups in turn: one alone waits for its own results, three do not fit into the registers. */
static void run32(group32 *at, long steps, float step_size, uint32_t last_word, uint32_t half_word) {
  const floats alpha = _mm512_set1_ps(step_size), one = _mm512_set1_ps(1), minus = _mm512_set1_ps(-1);
  const words last = _mm512_set1_epi32((int)last_word), half = _mm512_set1_epi32((int)half_word);
#define LOAD32(n)                                                                                \
  LOAD_GENERATORS(n)                                                                             \
  floats q0##n = _mm512_loadu_ps(at[n].tables[0]), q1##n = _mm512_loadu_ps(at[n].tables[1]),     \
         p0##n = _mm512_loadu_ps(at[n].tables[2]), p1##n = _mm512_loadu_ps(at[n].tables[3]);
#define KEEP32(n)                                                                                \
  _mm512_storeu_ps(at[n].tables[0], q0##n);                                                      \
  _mm512_storeu_ps(at[n].tables[1], q1##n);                                                      \
  _mm512_storeu_ps(at[n].tables[2], p0##n);                                                      \
  _mm512_storeu_ps(at[n].tables[3], p1##n);
  LOAD32(0) LOAD32(1)
  for (long t = 0; t < steps; t++) {
    STEP32(0) STEP32(1)
  }
  KEEP32(0) KEEP32(1)
}

/* float64: 16 words in one vector, which the two halves of the group choose and learn by. */
#define CHOOSE64(K, WORD, Q0, Q1)                                                                \
  const __mmask16 beyond##K = _mm512_cmp_epu32_mask(WORD, last, _MM_CMPINT_NLE);                 \
  const __mmask16 upper##K = _mm512_cmp_epu32_mask(WORD, half, _MM_CMPINT_NLT);                  \
  const __mmask8 K##l = _kandn_mask8(                                                            \
      _mm512_mask_cmp_pd_mask((__mmask8)beyond##K, Q1##l, Q0##l, _CMP_LE_OQ), (__mmask8)upper##K); \
  const __mmask8 K##h = _kandn_mask8(                                                            \
      _mm512_mask_cmp_pd_mask((__mmask8)_kshiftri_mask16(beyond##K, 8), Q1##h, Q0##h, _CMP_LE_OQ), \
      (__mmask8)_kshiftri_mask16(upper##K, 8));

#define LEARN64(K, R, TARGET, MASKED_TARGET, MASKED_STEP, Q0, Q1)                                \
  {                                                                                              \
    const doubles x = _mm512_mul_pd(MASKED_TARGET(TARGET(R, Q0), K, R, Q1), alpha);              \
    Q1 = MASKED_STEP(Q1, K, Q1, x);                                                              \
    Q0 = MASKED_STEP(Q0, _knot_mask8(K), Q0, x);                                                 \
  }

#define HALF64(half)                                                                             \
  {                                                                                              \
    const doubles r = _mm512_mask_blend_pd(_kxor_mask8(i##half, j##half), one, minus);           \
    LEARN64(i##half, r, _mm512_sub_pd, _mm512_mask_sub_pd, _mm512_mask_add_pd, q0##half, q1##half) \
    LEARN64(j##half, r, _mm512_add_pd, _mm512_mask_add_pd, _mm512_mask_sub_pd, p0##half, p1##half) \
  }

static void run64(group64 *at, long steps, double step_size, uint32_t last_word, uint32_t half_word) {
  const doubles alpha = _mm512_set1_pd(step_size), one = _mm512_set1_pd(1), minus = _mm512_set1_pd(-1);
  const words last = _mm512_set1_epi32((int)last_word), half = _mm512_set1_epi32((int)half_word);
  LOAD_GENERATORS(0)
#define LOAD64(name, k)                                                                          \
  doubles name##l = _mm512_loadu_pd(at->tables[k]), name##h = _mm512_loadu_pd(at->tables[k] + 8);
#define KEEP64(name, k)                                                                          \
  _mm512_storeu_pd(at->tables[k], name##l);                                                      \
  _mm512_storeu_pd(at->tables[k] + 8, name##h);
  LOAD64(q0, 0) LOAD64(q1, 1) LOAD64(p0, 2) LOAD64(p1, 3)
  for (long t = 0; t < steps; t++) {
    const words v = next(&a0, &b0, &c0, &d0), w = next(&e0, &f0, &g0, &h0);
    CHOOSE64(i, v, q0, q1)
    CHOOSE64(j, w, p0, p1)
    HALF64(l)
    HALF64(h)
  }
  KEEP64(q0, 0) KEEP64(q1, 1) KEEP64(p0, 2) KEEP64(p1, 3)
}

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

#define WHOLE(NAME, GROUP, REAL, RUN, GROUPS)                                                    \
  static double NAME(const uint32_t *streams, REAL *tables, long replicas, long steps, double alpha, \
                     uint32_t last, uint32_t half) {                                             \
    const double began = cpu_seconds();                                                          \
    for (long first = 0; first < replicas; first += 16 * GROUPS) {                               \
      GROUP at[GROUPS];                                                                          \
      memset(at, 0, sizeof at);                                                                  \
      for (int k = 0; k < 16 * GROUPS; k++)                                                      \
        for (int j = 0; j < 8; j++) at[k / 16].generators[j][k % 16] = streams[(first + k) * 8 + j]; \
      RUN(at, steps, (REAL)alpha, last, half);                                                   \
      for (int k = 0; k < 16 * GROUPS; k++)                                                      \
        for (int j = 0; j < 4; j++) tables[(first + k) * 4 + j] = at[k / 16].tables[j][k % 16];  \
    }                                                                                            \
    return cpu_seconds() - began;                                                                \
  }
WHOLE(whole32, group32, float, run32, 2)
WHOLE(whole64, group64, double, run64, 1)

int main(int count, char **values) {
  if (count != 8) return 2;
  const int single = !strcmp(values[1], "f32");
  const long steps = atol(values[2]), replicas = atol(values[3]), rounds = atol(values[7]);
  const double alpha = atof(values[4]);
  const uint32_t last = (uint32_t)strtoul(values[5], 0, 10), half = (uint32_t)strtoul(values[6], 0, 10);
  const size_t size = single ? sizeof(float) : sizeof(double);
  if (replicas % LANES) return 2;
  uint32_t *streams = malloc(replicas * 8 * sizeof *streams);
  void *tables = malloc(replicas * 4 * size);
  if (!streams || !tables || fread(streams, 32, replicas, stdin) != (size_t)replicas) return 2;
  for (long k = 0; k < rounds; k++) {
    const double seconds = single ? whole32(streams, tables, replicas, steps, alpha, last, half)
                                  : whole64(streams, tables, replicas, steps, alpha, last, half);
    fprintf(stderr, "%.6g\n", (double)replicas * steps / seconds);
  }
  return fwrite(tables, 4 * size, replicas, stdout) == (size_t)replicas ? 0 : 1;
}
#endif
