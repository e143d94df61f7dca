# Tabular Q-learning: rules/qlearning.py. q: a contiguous table (observations, actions) of float or double, modified
# in place. Arguments of type double are rounded to the type of the table.

from cython cimport floating

cdef extern from "fastgames/rules.h" nogil:
    double _updated_f64 "fg_updated_f64"(double q, double step, double target)
    float _updated_f32 "fg_updated_f32"(float q, float step, float target)
    double _discounted_best_f64 "fg_discounted_best_f64"(
        const double *q, Py_ssize_t actions, double weight, Py_ssize_t next_observation, bint ended)
    float _discounted_best_f32 "fg_discounted_best_f32"(
        const float *q, Py_ssize_t actions, float weight, Py_ssize_t next_observation, bint ended)
    void _learn_f64 "fg_learn_f64"(
        double *q, Py_ssize_t actions, double alpha, Py_ssize_t observation, Py_ssize_t action, double gain,
        double weight, Py_ssize_t next_observation, bint ended)
    void _learn_f32 "fg_learn_f32"(
        float *q, Py_ssize_t actions, double alpha, Py_ssize_t observation, Py_ssize_t action, float gain,
        float weight, Py_ssize_t next_observation, bint ended)


# q[o, a] += step (target - q[o, a]).
cdef inline void update(
    floating *q, Py_ssize_t actions, Py_ssize_t o, Py_ssize_t a, double target, double step
) noexcept nogil:
    cdef floating *entry = q + o * actions + a
    if floating is double:
        entry[0] = _updated_f64(entry[0], step, target)
    else:
        entry[0] = _updated_f32(entry[0], <float>step, <float>target)


# weight times the largest value at the next observation, or times 0 once ended.
cdef inline floating discounted_best(
    const floating *q, Py_ssize_t actions, double weight, Py_ssize_t next_observation, bint ended
) noexcept nogil:
    if floating is double:
        return _discounted_best_f64(q, actions, weight, next_observation, ended)
    else:
        return _discounted_best_f32(q, actions, <float>weight, next_observation, ended)


# q[o, a] += alpha ((gain + weight max q[o2]) - q[o, a]); the arguments from `observation` on are those of an Outcome
# (rules/outcome.py): where everyone always moves, gain is the reward and weight is gamma.
cdef inline void learn(
    floating *q, Py_ssize_t actions, double alpha, Py_ssize_t observation, Py_ssize_t action, double gain,
    double weight, Py_ssize_t next_observation, bint ended
) noexcept nogil:
    if floating is double:
        _learn_f64(q, actions, alpha, observation, action, gain, weight, next_observation, ended)
    else:
        _learn_f32(q, actions, alpha, observation, action, <float>gain, <float>weight, next_observation, ended)
