# Random streams: rules/streams.py. One stream is that of (seed, replica, role), agents 0 to N - 1, nature N.

from libc.stdint cimport int32_t, uint32_t, uint64_t

cdef extern from "fastgames/streams.h" nogil:
    ctypedef struct Stream "fg_generator":
        uint32_t a, b, c, d

    # The first state of a stream of fg.run(..., rng=seed).
    void start "fg_start_generator"(uint64_t seed, uint64_t replica, uint32_t role, Stream *stream)

    # The next 32-bit word; next_word31: that >> 1, the `u` of the rules.
    uint32_t next_word "fg_word"(Stream *stream)
    int32_t next_word31 "fg_word31"(Stream *stream)

    # Philox4x32-10 of counter[0..3] under the key (k0, k1), in place.
    void philox "fg_philox"(uint32_t *counter, uint32_t k0, uint32_t k1)
