# Our own exp: rules/exponential.py.

cdef extern from "fastgames/numeric.h" nogil:
    double exp_f64 "fg_exp_f64"(double x)
    float exp_f32 "fg_exp_f32"(float x)
