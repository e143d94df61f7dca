/* W3 by hand: Calvano's pricing duopoly, a million steps of two epsilon-greedy Q-learners from epsilon = 1. What a
 * researcher would write in C, twice: a plain loop, and one that keeps each row's maximum and scans a row only where
 * that was lowered. Prints "name steps-per-second check" lines; the check is the mean of the row agent's largest value
 * in the state where a run ends, which all must agree on within noise (the streams differ). */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { M = 15, S = M * M };
static const double ALPHA = 0.15, DELTA = 0.95, BETA = 4e-6;
static const long STEPS = 1000000;
static double payoff[2][S], start[2][M], q[2][S][M], top[2][S];
static int best[2][S];

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
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
static rng seeded(uint64_t x) {
  rng r;
  for (int i = 0; i < 4; i++) {
    uint64_t z = (x += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    r.s[i] = z ^ (z >> 31);
  }
  return r;
}

static double demand(double own, double other) {
  const double e = exp((2 - own) / 0.25);
  return e / (e + exp((2 - other) / 0.25) + 1);
}

static void set_up(void) {
  const double nash = 1.472927, monopoly = 1.924981, low = nash - 0.1 * (monopoly - nash);
  double price[M];
  for (int i = 0; i < M; i++) price[i] = low + i * 1.2 * (monopoly - nash) / (M - 1);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < M; j++) {
      payoff[0][i * M + j] = (price[i] - 1) * demand(price[i], price[j]);
      payoff[1][i * M + j] = (price[j] - 1) * demand(price[j], price[i]);
    }
  for (int i = 0; i < M; i++) {
    start[0][i] = start[1][i] = 0;
    for (int j = 0; j < M; j++) start[0][i] += payoff[0][i * M + j] / M / (1 - DELTA);
    for (int j = 0; j < M; j++) start[1][i] += payoff[1][j * M + i] / M / (1 - DELTA);
  }
}

static int argmax(const double *row) {
  int k = 0;
  for (int i = 1; i < M; i++)
    if (row[i] > row[k]) k = i;
  return k;
}

static void begin(void) {
  for (int i = 0; i < 2; i++)
    for (int s = 0; s < S; s++) {
      for (int a = 0; a < M; a++) q[i][s][a] = start[i][a];
      best[i][s] = argmax(start[i]);
      top[i][s] = start[i][best[i][s]];
    }
}

static double plain(uint64_t seed) {
  rng r = seeded(seed);
  int s = 0;
  begin();
  for (long t = 0; t < STEPS; t++) {
    const double epsilon = exp(-BETA * t);
    int a[2], s2;
    for (int i = 0; i < 2; i++) a[i] = uniform(&r) < epsilon ? (int)(uniform(&r) * M) : argmax(q[i][s]);
    s2 = a[0] * M + a[1];
    for (int i = 0; i < 2; i++) {
      const double value = q[i][s2][argmax(q[i][s2])];
      q[i][s][a[i]] += ALPHA * (payoff[i][s2] + DELTA * value - q[i][s][a[i]]);
    }
    s = s2;
  }
  return q[0][s][argmax(q[0][s])];
}

static double cached(uint64_t seed) {
  rng r = seeded(seed);
  int s = 0;
  double epsilon = 1;
  const double factor = exp(-BETA);
  begin();
  for (long t = 0; t < STEPS; t++) {
    int a[2], s2;
    double x[2];
    for (int i = 0; i < 2; i++) a[i] = uniform(&r) < epsilon ? (int)(uniform(&r) * M) : best[i][s];
    s2 = a[0] * M + a[1];
    for (int i = 0; i < 2; i++)
      x[i] = q[i][s][a[i]] + ALPHA * (payoff[i][s2] + DELTA * top[i][s2] - q[i][s][a[i]]);
    for (int i = 0; i < 2; i++) {
      q[i][s][a[i]] = x[i];
      if (x[i] > top[i][s]) {
        top[i][s] = x[i];
        best[i][s] = a[i];
      } else if (a[i] == best[i][s]) {
        best[i][s] = argmax(q[i][s]);
        top[i][s] = q[i][s][best[i][s]];
      }
    }
    s = s2;
    epsilon *= factor;
  }
  return top[0][s];
}

int main(int count, char **values) {
  const int runs = count > 2 ? atoi(values[2]) : 4, keeps = count > 1 && !strcmp(values[1], "cached");
  set_up();
  const double began = cpu_seconds();
  double sum = 0;
  for (int k = 0; k < runs; k++) sum += keeps ? cached(k) : plain(k);
  printf("%.6g %.8g %d\n", runs * (double)STEPS / (cpu_seconds() - began), sum / runs, runs);
  return 0;
}
