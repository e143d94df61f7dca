/* W1 and W2 by hand: matching pennies, two epsilon-greedy Q-learners (alpha = epsilon = 0.1). What a
 * researcher would write in C, three times: a plain loop, a branch-free loop, and lanes that know this
 * one game (payoffs as a sign, one action's threshold as a constant, float32, state in registers).
 *
 *     pennies plain|branchless|lanes|stepping RUNS
 *
 * prints game-steps per CPU second, the mean over runs of the row agent's q[0] + q[1] (stepping: of its payoff),
 * on which all rivals must agree within noise (the streams differ), and how many runs were simulated. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS = 20000, LANES = 128 };

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static uint64_t splitmix(uint64_t *x) {
  uint64_t z = (*x += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

typedef struct { uint64_t s[4]; } rng; /* xoshiro256**, the usual choice for one stream */
static uint64_t rotl64(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
static uint64_t next(rng *r) {
  uint64_t *s = r->s, result = rotl64(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3];
  s[2] ^= t; s[3] = rotl64(s[3], 45);
  return result;
}
static double uniform(rng *r) { return (next(r) >> 11) * 0x1.0p-53; }

static const double PAYOFFS[2][2] = {{1, -1}, {-1, 1}};

static double plain(uint64_t seed) {
  rng r;
  for (int i = 0; i < 4; i++) r.s[i] = splitmix(&seed);
  double q[2] = {0, 0}, p[2] = {0, 0};
  for (int t = 0; t < STEPS; t++) {
    int a = uniform(&r) < 0.1 ? (int)(next(&r) >> 63) : q[1] > q[0];
    int b = uniform(&r) < 0.1 ? (int)(next(&r) >> 63) : p[1] > p[0];
    double x = PAYOFFS[a][b];
    q[a] += 0.1 * (x - q[a]);
    p[b] += 0.1 * (-x - p[b]);
  }
  return q[0] + q[1];
}

static double branchless(uint64_t seed) {
  rng r;
  for (int i = 0; i < 4; i++) r.s[i] = splitmix(&seed);
  double q0 = 0, q1 = 0, p0 = 0, p1 = 0;
  const uint32_t threshold = (uint32_t)(0.1 * 2147483648.0);
  for (int t = 0; t < STEPS; t++) {
    uint64_t z = next(&r);
    uint32_t u = (uint32_t)z, v = (uint32_t)(z >> 32);
    int a = (u >> 1) < threshold ? (int)(u & 1) : q1 > q0;
    int b = (v >> 1) < threshold ? (int)(v & 1) : p1 > p0;
    double x = a == b ? 1.0 : -1.0;
    double n1 = q1 + 0.1 * (x - q1), n0 = q0 + 0.1 * (x - q0);
    double m1 = p1 + 0.1 * (-x - p1), m0 = p0 + 0.1 * (-x - p0);
    q1 = a ? n1 : q1; q0 = a ? q0 : n0;
    p1 = b ? m1 : p1; p0 = b ? p0 : m0;
  }
  return q0 + q1;
}

/* Lanes: one 32-bit word serves both agents, 15 bits and a coin each. */
static float lanes(uint64_t seed) {
  uint32_t s0[LANES], s1[LANES], s2[LANES], s3[LANES];
  float q0[LANES], q1[LANES], p0[LANES], p1[LANES];
  for (int i = 0; i < LANES; i++) {
    uint64_t a = splitmix(&seed), b = splitmix(&seed);
    s0[i] = a; s1[i] = a >> 32; s2[i] = b; s3[i] = b >> 32;
    q0[i] = q1[i] = p0[i] = p1[i] = 0;
  }
  const int threshold = (int)(0.1 * 32768.0);
  for (int t = 0; t < STEPS; t++)
    for (int i = 0; i < LANES; i++) {
      uint32_t z = s0[i] + s3[i], w = s1[i] << 9;
      s2[i] ^= s0[i]; s3[i] ^= s1[i]; s1[i] ^= s2[i]; s0[i] ^= s3[i];
      s2[i] ^= w; s3[i] = (s3[i] << 11) | (s3[i] >> 21);
      uint32_t u = z >> 16, v = z & 0xffff;
      float a = q1[i] > q0[i] ? 1.0f : 0.0f, b = p1[i] > p0[i] ? 1.0f : 0.0f;
      a = (int)(u >> 1) < threshold ? (float)(int)(u & 1) : a;
      b = (int)(v >> 1) < threshold ? (float)(int)(v & 1) : b;
      float d = a - b, x = 1.0f - 2.0f * d * d;
      float ga = 0.1f * a, gb = 0.1f * b;
      q1[i] += ga * (x - q1[i]); q0[i] += (0.1f - ga) * (x - q0[i]);
      p1[i] -= gb * (x + p1[i]); p0[i] -= (0.1f - gb) * (x + p0[i]);
    }
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += q0[i] + q1[i];
  return sum;
}

static double stepping(uint64_t seed) { /* W2: only the game, both coins of a step from one word */
  rng r;
  double sum = 0;
  for (int i = 0; i < 4; i++) r.s[i] = splitmix(&seed);
  for (int t = 0; t < STEPS; t++) {
    uint64_t z = next(&r);
    sum += PAYOFFS[z >> 63][z >> 62 & 1];
  }
  return sum / STEPS;
}

int main(int count, char **values) {
  const char *name = count > 1 ? values[1] : "plain";
  const int runs = count > 2 ? atoi(values[2]) : 100, in_lanes = !strcmp(name, "lanes");
  const int blocks = in_lanes ? (runs + LANES - 1) / LANES : runs;
  double sum = 0, began = cpu_seconds();
  for (int i = 0; i < blocks; i++)
    sum += in_lanes                       ? lanes(i)
           : !strcmp(name, "branchless") ? branchless(i)
           : !strcmp(name, "stepping")   ? stepping(i)
                                         : plain(i);
  const double simulated = in_lanes ? (double)blocks * LANES : runs;
  printf("%.6g %.8g %.0f\n", simulated * STEPS / (cpu_seconds() - began), sum / simulated, simulated);
  return 0;
}
