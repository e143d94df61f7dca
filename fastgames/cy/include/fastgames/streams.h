/* Random words. Twins of fastgames/rules/streams.py. */
#ifndef FASTGAMES_STREAMS_H
#define FASTGAMES_STREAMS_H

#include <stdint.h>

typedef struct {
  uint32_t a, b, c, d;
} fg_generator;

static inline uint32_t fg_rotate(const uint32_t x, const int k) { return (x << k) | (x >> (32 - k)); }

/* Philox4x32-10 of the counter c[0..3] under the key (k0, k1), in place. */
static inline void fg_philox(uint32_t *c, uint32_t k0, uint32_t k1) {
  for (int i = 0; i < 10; i++) {
    const uint64_t p0 = (uint64_t)0xD2511F53 * c[0], p1 = (uint64_t)0xCD9E8D57 * c[2];
    c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
    c[1] = (uint32_t)p1;
    c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
    c[3] = (uint32_t)p0;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
}

/* The first state of the stream of (seed, replica, role). state: 4 words, written. */
static inline void fg_start(const uint64_t seed, const uint64_t replica, const uint32_t role, uint32_t *state) {
  state[0] = (uint32_t)replica;
  state[1] = (uint32_t)(replica >> 32);
  state[2] = role;
  state[3] = 0;
  fg_philox(state, (uint32_t)seed, (uint32_t)(seed >> 32));
  if ((state[0] | state[1] | state[2] | state[3]) == 0) state[0] = 1; /* the one state xoshiro never leaves */
}

static inline void fg_start_generator(const uint64_t seed, const uint64_t replica, const uint32_t role,
                                      fg_generator *g) {
  uint32_t state[4];
  fg_start(seed, replica, role, state);
  g->a = state[0];
  g->b = state[1];
  g->c = state[2];
  g->d = state[3];
}

/* xoshiro128++: the next word. */
static inline uint32_t fg_word(fg_generator *g) {
  const uint32_t word = fg_rotate(g->a + g->d, 7) + g->a, shifted = g->b << 9;
  g->c ^= g->a;
  g->d ^= g->b;
  g->b ^= g->c;
  g->a ^= g->d;
  g->c ^= shifted;
  g->d = fg_rotate(g->d, 11);
  return word;
}

/* As the contract uses it: 31 bits, which convert in signed lanes everywhere. */
static inline int32_t fg_word31(fg_generator *g) { return (int32_t)(fg_word(g) >> 1); }

#endif
