# Parameters that change: rules/schedules.py. All in double.

cdef extern from "fastgames/rules.h" nogil:
    # The value used while the recurrence v = advance(v, decay) stands at `value`.
    double exponential "fg_exponential"(double value, double floor)

    # value * decay, one step on; 0 instead of a subnormal number. decay: exponential.exp_f64(-rate).
    double advance "fg_advance"(double value, double decay)

    # start + (end - start) min(t / steps, 1), at step t.
    double linear "fg_linear"(double start, double end, double steps, double t)

    # start (offset / (offset + t))^power, at step t. offset: at least 2^-64.
    double hyperbolic "fg_hyperbolic"(double start, double offset, double power, double t)
