# Step sizes that fall with the number of visits: rules/stepsize.py.

from libc.stdint cimport int64_t

cdef extern from "fastgames/rules.h" nogil:
    # Count a visit (visits[0] is modified); the step size n^-power of the n-th.
    double visit "fg_visit"(int64_t *visits, double power)
