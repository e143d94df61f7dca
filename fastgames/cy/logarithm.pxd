# Our own natural logarithm: rules/logarithm.py. x: positive, finite, not subnormal.

cdef extern from "fastgames/numeric.h" nogil:
    double log "fg_log"(double x)
