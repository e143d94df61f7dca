# Twins of rules/exponential.py, rules/logarithm.py and rules/streams.py.

cdef extern from "numeric.h" nogil:
    real exponential "FG_EXP"(real x)
    double exponential_double "fg_exp_f64"(double x)
    double logarithm "fg_log"(double x)


cdef void philox(uint32_t *c, uint32_t k0, uint32_t k1) noexcept nogil:
    """Philox4x32-10 of the counter c[0..3] under the key (k0, k1), in place."""
    cdef uint64_t p0, p1
    cdef int i
    for i in range(10):
        p0 = <uint64_t>0xD2511F53 * c[0]
        p1 = <uint64_t>0xCD9E8D57 * c[2]
        c[0] = <uint32_t>(p1 >> 32) ^ c[1] ^ k0
        c[1] = <uint32_t>p1
        c[2] = <uint32_t>(p0 >> 32) ^ c[3] ^ k1
        c[3] = <uint32_t>p0
        k0 = k0 + <uint32_t>0x9E3779B9
        k1 = k1 + <uint32_t>0xBB67AE85


def log(const double[::1] x):
    """log of every element of x, float64, positive, finite and normal; a new array."""
    out = np.empty(x.shape[0])
    cdef double[::1] y = out
    cdef Py_ssize_t i
    with nogil:
        for i in range(x.shape[0]):
            y[i] = logarithm(x[i])
    return out


def exp(const real[::1] x):
    """exp of every element of x, a contiguous array of this build's real type; a new array."""
    out = np.empty(x.shape[0], REAL)
    cdef real[::1] y = out
    cdef Py_ssize_t i
    with nogil:
        for i in range(x.shape[0]):
            y[i] = exponential(x[i])
    return out


def start_streams(uint64_t seed, uint64_t first, int roles, uint32_t[:, :, ::1] states):
    """Write the first state of every stream of replicas first, first + 1, …

    states: (replicas, roles, 4) uint32, modified in place.
    """
    cdef Py_ssize_t r
    cdef int j
    cdef uint32_t *c
    cdef uint64_t replica
    with nogil:
        for r in range(states.shape[0]):
            replica = first + <uint64_t>r
            for j in range(roles):
                c = &states[r, j, 0]
                c[0] = <uint32_t>replica
                c[1] = <uint32_t>(replica >> 32)
                c[2] = <uint32_t>j
                c[3] = 0
                philox(c, <uint32_t>seed, <uint32_t>(seed >> 32))
                if c[0] | c[1] | c[2] | c[3] == 0:
                    c[0] = 1
