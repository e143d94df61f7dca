# Twins of rules/exponential.py, rules/logarithm.py and rules/streams.py.

cdef extern from "fastgames/numeric.h" nogil:
    real exponential "FG_EXP"(real x)
    double exponential_double "fg_exp_f64"(double x)
    double logarithm "fg_log"(double x)

cdef extern from "fastgames/streams.h" nogil:
    void fg_start(uint64_t seed, uint64_t replica, uint32_t role, uint32_t *state)


def log(const double[::1] x):
    """Return the log of every element of x, (n,) float64, positive, finite and normal, as a new array."""
    out = np.empty(x.shape[0])
    cdef double[::1] y = out
    cdef Py_ssize_t i
    with nogil:
        for i in range(x.shape[0]):
            y[i] = logarithm(x[i])
    return out


def exp(const real[::1] x):
    """Return the exp of every element of x, (n,), contiguous and of this build's real type, as a new array."""
    out = np.empty(x.shape[0], REAL)
    cdef real[::1] y = out
    cdef Py_ssize_t i
    with nogil:
        for i in range(x.shape[0]):
            y[i] = exponential(x[i])
    return out


def start_streams(uint64_t seed, uint64_t first, int roles, uint32_t[:, :, ::1] states):
    """Write the initial state of every stream of the replicas first, first + 1, … to `states`.

    states: (replicas, roles, 4) uint32, modified in place.
    """
    cdef Py_ssize_t r
    cdef int j
    with nogil:
        for r in range(states.shape[0]):
            for j in range(roles):
                fg_start(seed, first + <uint64_t>r, <uint32_t>j, &states[r, j, 0])
