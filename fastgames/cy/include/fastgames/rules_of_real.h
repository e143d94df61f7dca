/* Included by rules.h once for each type of the tables, FG_T. Rows are (actions,), tables (observations, actions). */

/* The word as a number in [0, 1). */
static inline FG_T FG_OF(unit)(const int32_t u) { return FG_UNIT_OF(u); }

/* The action to explore, or -1: threshold is T - 1, scale A / T, last A - 1. */
static inline FG_T FG_OF(explore_scaled)(const int32_t u, const int32_t threshold, const FG_T scale, const FG_T last) {
  FG_T x = (FG_T)(int32_t)((FG_T)u * scale);
  x = x > last ? last : x;
  return u <= threshold ? x : (FG_T)-1;
}

/* The same from epsilon and A. A / T is worked out first: where epsilon stays, that moves out of the caller's loop. */
static inline ptrdiff_t FG_OF(explore)(const int32_t u, const double epsilon, const ptrdiff_t actions) {
  const int32_t threshold = fg_threshold(epsilon);
  const FG_T scale = (FG_T)((double)actions / ((double)threshold + 1.0));
  return u > threshold ? FG_GREEDY : (ptrdiff_t)FG_OF(explore_scaled)(u, threshold, scale, (FG_T)(actions - 1));
}

/* The index of the largest entry, the lowest on ties. */
static inline ptrdiff_t FG_OF(argmax)(const FG_T *row, const ptrdiff_t actions) {
  FG_T value = row[0];
  ptrdiff_t best = 0;
  for (ptrdiff_t a = 1; a < actions; a++) {
    best = row[a] > value ? a : best;
    value = row[a] > value ? row[a] : value;
  }
  return best;
}

static inline FG_T FG_OF(largest)(const FG_T *row, const ptrdiff_t actions) {
  FG_T value = row[0];
  for (ptrdiff_t a = 1; a < actions; a++) value = row[a] > value ? row[a] : value;
  return value;
}

static inline ptrdiff_t FG_OF(epsilon_greedy)(const FG_T *row, const ptrdiff_t actions, const ptrdiff_t signal) {
  return signal == FG_GREEDY ? FG_OF(argmax)(row, actions) : signal;
}

/* The number of k < A - 1 whose running sum is <= x times that of all. */
static inline ptrdiff_t FG_OF(sample)(const FG_T *weights, const ptrdiff_t actions, const FG_T x) {
  FG_T total = FG_OF(rounded)(weights[0]);
  for (ptrdiff_t k = 1; k < actions; k++) total = total + FG_OF(rounded)(weights[k]);
  const FG_T limit = x * total;
  FG_T c = FG_OF(rounded)(weights[0]);
  ptrdiff_t index = 0;
  for (ptrdiff_t k = 0; k < actions - 1; k++) {
    index += c <= limit;
    c = c + FG_OF(rounded)(weights[k + 1]);
  }
  return index;
}

/* exp((row - max row) / temperature), into `out` (A,). */
static inline void FG_OF(softmax_weights)(const FG_T *row, const ptrdiff_t actions, const double temperature,
                                          FG_T *out) {
  const FG_T best = FG_OF(rounded)(FG_OF(largest)(row, actions));
  for (ptrdiff_t a = 0; a < actions; a++)
    out[a] = FG_OF(exp)((FG_OF(rounded)(row[a]) - best) / (FG_T)temperature);
}

/* q + step (target - q). */
static inline FG_T FG_OF(updated)(const FG_T q, const FG_T step, const FG_T target) {
  const FG_T before = FG_OF(rounded)(q);
  return before + FG_OF(rounded)(step * (FG_OF(rounded)(target) - before));
}

/* weight times the largest value at the next observation, or times 0 once ended. */
static inline FG_T FG_OF(discounted_best)(const FG_T *q, const ptrdiff_t actions, const FG_T weight,
                                          const ptrdiff_t next_observation, const int ended) {
  const FG_T best = ended ? (FG_T)0 : FG_OF(largest)(q + next_observation * actions, actions);
  return FG_OF(rounded)(weight * best);
}

/* Q-learning of one move; q is modified in place. */
static inline void FG_OF(learn)(FG_T *q, const ptrdiff_t actions, const double alpha, const ptrdiff_t observation,
                                const ptrdiff_t action, const FG_T gain, const FG_T weight,
                                const ptrdiff_t next_observation, const int ended) {
  const FG_T target = FG_OF(rounded)(gain) + FG_OF(discounted_best)(q, actions, weight, next_observation, ended);
  FG_T *const entry = q + observation * actions + action;
  *entry = FG_OF(updated)(*entry, (FG_T)alpha, target);
}
