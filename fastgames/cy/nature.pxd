# Chance in a game: rules/nature.py.

cdef extern from "fastgames/rules.h" nogil:
    # The index that x in [0, 1) falls on. sums: (n,) running sums of non-negative weights.
    Py_ssize_t pick "fg_nature_pick"(const double *sums, Py_ssize_t n, double x)
