/* What an agent does in one step, for one agent and one lane. Twins of choice.py, qlearning.py, schedules.py,
 * stepsize.py, chance.py and nature.py in fastgames/rules/. Functions that exist for tables of float and of double end
 * in _f32 and _f64. */
#ifndef FASTGAMES_RULES_H
#define FASTGAMES_RULES_H

#include <float.h>
#include <math.h>

#include "arithmetic.h"
#include "numeric.h"

/* --- choice --- */

enum { FG_GREEDY = -1 }; /* the signal of an agent that does not explore */

/* T - 1, T = floor(epsilon 2^31): explore iff u <= T - 1 (2^31 itself would not fit). */
static inline int32_t fg_threshold(const double epsilon) { return (int32_t)((int64_t)(epsilon * 2147483648.0) - 1); }

/* The probability of exploring that is used. */
static inline double fg_explored(const double epsilon) {
  return (double)(int64_t)(epsilon * 2147483648.0) / 2147483648.0;
}

#define FG_T double
#define FG_UNIT_OF(u) ((double)(u) * 4.656612873077392578125e-10) /* 2^-31 */
#define FG_OF(name) fg_##name##_f64
#include "rules_of_real.h"
#undef FG_T
#undef FG_UNIT_OF
#undef FG_OF

#define FG_T float
#define FG_UNIT_OF(u) ((float)((u) >> 7) * 5.9604644775390625e-8f) /* 2^-24 */
#define FG_OF(name) fg_##name##_f32
#include "rules_of_real.h"
#undef FG_T
#undef FG_UNIT_OF
#undef FG_OF

/* --- schedules and step sizes, in double --- */

static inline double fg_exponential(const double value, const double floor_) {
  return floor_ > value ? floor_ : value;
}

/* One step on: what `fg_exponential` is given next; 0 instead of a subnormal number. decay: exp(-rate). */
static inline double fg_advance(const double value, const double decay) {
  const double next = fg_rounded_f64(value * decay);
  return fabs(next) < DBL_MIN ? 0.0 : next;
}

static inline double fg_linear(const double start, const double end, const double steps, const double t) {
  const double part = t / steps, from = fg_rounded_f64(start);
  return from + fg_rounded_f64((fg_rounded_f64(end) - from) * (part < 1.0 ? part : 1.0));
}

static inline double fg_hyperbolic(const double start, const double offset, const double power, const double t) {
  const double from = fg_rounded_f64(offset), base = from / (from + t);
  return fg_rounded_f64(start * (power == 1.0 ? base : fg_exp_f64(power * fg_log(base))));
}

/* Count a visit; the step size n^-power of the n-th. */
static inline double fg_visit(int64_t *visits, const double power) {
  *visits += 1;
  if (power == 1.0) return 1.0 / (double)*visits;
  return fg_exp_f64(-power * fg_log((double)*visits));
}

/* --- nature and chance --- */

/* How many of the running sums but the last are <= x times the last. They do not decrease. */
static inline int64_t fg_nature_pick(const double *sums, const int64_t n, const double x) {
  const double limit = x * sums[n - 1];
  int64_t low = 0, high = n - 1;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (sums[middle] <= limit)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* A whole number in [0, n). */
static inline int32_t fg_chance_below(const int32_t u, const int32_t n) { return (int32_t)(((int64_t)u * n) >> 31); }

static inline int fg_chance_coin(const int32_t u) { return (int)(u >> 30); }

static inline int fg_chance_happens(const int32_t u, const double probability) { return fg_unit_f64(u) < probability; }

#endif
