# What a game makes of nature's words: rules/chance.py. u: 31 bits.

from libc.stdint cimport int32_t

cdef extern from "fastgames/rules.h" nogil:
    # A number in [0, 1).
    double number "fg_unit_f64"(int32_t u)

    # A whole number in [0, n).
    int32_t below "fg_chance_below"(int32_t u, int32_t n)

    # 0 or 1.
    int coin "fg_chance_coin"(int32_t u)

    # Whether something of this probability happens.
    bint happens "fg_chance_happens"(int32_t u, double probability)
