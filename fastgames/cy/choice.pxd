# How an agent chooses: rules/choice.py. u: a 31-bit word (streams.next_word31); rows are contiguous (actions,).
# Functions of rows take float and double; what no row tells apart has two names. Arguments of type double are
# rounded to the type of the row.

from cython cimport floating
from libc.stdint cimport int32_t

cdef extern from "fastgames/rules.h" nogil:
    enum:
        GREEDY "FG_GREEDY"  # the signal of an agent that does not explore: -1

    # The probability of exploring that is used. epsilon: in [0, 1].
    double explored "fg_explored"(double epsilon)

    # The action to explore, or GREEDY. epsilon: in [0, 1].
    Py_ssize_t explore_f64 "fg_explore_f64"(int32_t u, double epsilon, Py_ssize_t actions)
    Py_ssize_t explore_f32 "fg_explore_f32"(int32_t u, double epsilon, Py_ssize_t actions)

    # The word as a number in [0, 1).
    double unit_f64 "fg_unit_f64"(int32_t u)
    float unit_f32 "fg_unit_f32"(int32_t u)

    Py_ssize_t _argmax_f64 "fg_argmax_f64"(const double *row, Py_ssize_t actions)
    Py_ssize_t _argmax_f32 "fg_argmax_f32"(const float *row, Py_ssize_t actions)
    double _largest_f64 "fg_largest_f64"(const double *row, Py_ssize_t actions)
    float _largest_f32 "fg_largest_f32"(const float *row, Py_ssize_t actions)
    Py_ssize_t _epsilon_greedy_f64 "fg_epsilon_greedy_f64"(const double *row, Py_ssize_t actions, Py_ssize_t signal)
    Py_ssize_t _epsilon_greedy_f32 "fg_epsilon_greedy_f32"(const float *row, Py_ssize_t actions, Py_ssize_t signal)
    Py_ssize_t _sample_f64 "fg_sample_f64"(const double *weights, Py_ssize_t actions, double x)
    Py_ssize_t _sample_f32 "fg_sample_f32"(const float *weights, Py_ssize_t actions, float x)
    void _softmax_weights_f64 "fg_softmax_weights_f64"(
        const double *row, Py_ssize_t actions, double temperature, double *out)
    void _softmax_weights_f32 "fg_softmax_weights_f32"(
        const float *row, Py_ssize_t actions, double temperature, float *out)


# The index of the largest entry, the lowest on ties.
cdef inline Py_ssize_t argmax(const floating *row, Py_ssize_t actions) noexcept nogil:
    if floating is double:
        return _argmax_f64(row, actions)
    else:
        return _argmax_f32(row, actions)


cdef inline floating largest(const floating *row, Py_ssize_t actions) noexcept nogil:
    if floating is double:
        return _largest_f64(row, actions)
    else:
        return _largest_f32(row, actions)


# The action to explore if the signal is one, else the greedy action of the row.
cdef inline Py_ssize_t epsilon_greedy(const floating *row, Py_ssize_t actions, Py_ssize_t signal) noexcept nogil:
    if floating is double:
        return _epsilon_greedy_f64(row, actions, signal)
    else:
        return _epsilon_greedy_f32(row, actions, signal)


# An index from non-negative weights, used as given, by x in [0, 1): unit_f64 or unit_f32 of a word.
cdef inline Py_ssize_t sample(const floating *weights, Py_ssize_t actions, double x) noexcept nogil:
    if floating is double:
        return _sample_f64(weights, actions, x)
    else:
        return _sample_f32(weights, actions, <float>x)


# exp((row - max row) / temperature) into out (actions,), written. temperature: positive.
cdef inline void softmax_weights(
    const floating *row, Py_ssize_t actions, double temperature, floating *out
) noexcept nogil:
    if floating is double:
        _softmax_weights_f64(row, actions, temperature, out)
    else:
        _softmax_weights_f32(row, actions, temperature, out)
