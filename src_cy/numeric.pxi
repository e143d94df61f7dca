# Twins of rules/exponential.py and rules/streams.py.

cdef inline real exponential(real x) noexcept nogil:
    """exp(x); the same operations in the same order as the rule, without its branches."""
    cdef real rounded = x * <real>1.4426950408889634 + FG_ROUNDER
    cdef real n = rounded - FG_ROUNDER
    cdef real r = (x - n * <real>0.693145751953125) - n * <real>1.4286068203094172e-06
    cdef real p = <real>2.5100569875813683e-08
    p = p * r + <real>2.762032742826824e-07
    p = p * r + <real>2.7557268072890098e-06
    p = p * r + <real>2.4801520792572693e-05
    p = p * r + <real>1.9841269863303223e-04
    p = p * r + <real>1.3888888917538296e-03
    p = p * r + <real>8.333333333330012e-03
    p = p * r + <real>4.1666666666623477e-02
    p = p * r + <real>1.6666666666666669e-01
    p = p * r + <real>5.000000000000001e-01
    p = <real>1.0 + (r + r * r * p)
    p = (p * fg_half_power(rounded)) * <real>2.0
    p = <real>0.0 if x < FG_LOWEST else p
    return <real>INFINITY if x > FG_HIGHEST else p


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
