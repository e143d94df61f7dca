# The block: a fixed number of replicas (lanes) stepped together. Everything that a kernel reads or
# writes hangs here as a plain pointer; the memory belongs to NumPy arrays that Lanes keeps
# alive. Arrays over lanes come last-axis-lane, so that a kernel runs along the lanes.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef extern from "real.h" nogil:
    ctypedef double real          # float or double, see real.h
    ctypedef real *reals          # restrict pointers, for the arguments of kernels
    ctypedef double *doubles
    ctypedef int64_t same_width   # int32_t or int64_t, as wide as a real
    ctypedef int32_t *ints
    enum: FG_DOUBLE
    enum: FG_MANY_REGISTERS
    real FG_ROUNDER
    real FG_LOWEST
    real FG_HIGHEST
    real FG_UNIT(int32_t u)
    real fg_half_power(real rounded)

cdef extern from "numpy/random/bitgen.h" nogil:
    ctypedef struct bitgen_t:
        void *state
        uint64_t (*next_uint64)(void *state) noexcept nogil
        uint32_t (*next_uint32)(void *state) noexcept nogil
        double (*next_double)(void *state) noexcept nogil

cdef enum:
    MAX_AGENTS = 64    # bounds the arrays below; run() says so before anything is allocated
    MAX_PARAMETERS = 4
    MAX_PASSES = 512

cdef enum Schedule:
    CONSTANT = 0
    EXPONENTIAL = 1
    LINEAR = 2

# Passes made by Numba from the rules of a learner (fastgames/jit/passes.py), over rows of one lane each.
ctypedef void (*DrawRule)(int64_t lanes, int64_t actions, int64_t parameters,
                          double *value, int64_t *u, real *signals) noexcept nogil
ctypedef void (*ChooseRule)(int64_t lanes, int64_t actions, int64_t parameters,
                            double *value, real *table, real *signals, real *action) noexcept nogil
ctypedef void (*LearnRule)(int64_t lanes, int64_t actions, int64_t parameters,
                           double *value, real *table, real *action, real *reward) noexcept nogil

ctypedef struct Rules:
    DrawRule draw
    ChooseRule choose
    LearnRule learn

ctypedef struct Seat:  # one agent's place in the block
    int actions                            # A_i
    int signal                             # Signal
    int parameters                         # how many
    int alpha_at, gamma_at, epsilon_at, temperature_at  # which of them is which; -1: none
    int schedule[MAX_PARAMETERS]           # Schedule
    # All over lanes. Parameters are float64: the value used now, and what its schedule needs.
    double *value                          # (parameters, lanes)
    double *first                          # (parameters, lanes) exponential: v; linear: start
    double *second                         # (parameters, lanes) exponential: exp(-rate); linear: end
    double *third                          # (parameters, lanes) exponential: floor; linear: steps
    double *clock                          # (lanes,) steps since the schedules began
    uint32_t *stream                       # (4, lanes) xoshiro128++
    int32_t *threshold                     # (lanes,) T - 1: explore iff u <= it
    real *scale                            # (lanes,) A / T
    int32_t *half                          # (lanes,) with two actions: explore action 1 iff u >= it
    uint32_t *last_word                    # (lanes,) and on whole words: explore iff word <= it,
    uint32_t *half_word                    # (lanes,) action 1 iff word >= it
    int64_t *u                             # (lanes,) 31-bit words, for `rules`
    real *signals                          # (batch, lanes) of the steps drawn ahead
    real *table                            # (actions, lanes); a row (actions,) per lane where `rules` is set
    Rules rules                            # Numba's passes in place of the built-in ones, or NULLs
    real *alpha                            # (lanes,)
    real *gamma                            # (lanes,)
    real *temperature                      # (lanes,)
    real *weights                          # (actions, lanes) scratch of a softmax
    real *best                             # (lanes,) scratch of a scan: the maximum so far
    real *action                           # (lanes,) the action, as a real
    real *target                           # (lanes,) what the learner learns from
    real *payoffs                          # (joint actions,)
    real *greedy                           # (lanes,) the greedy action before the step, for flips
    int64_t *flips                         # (lanes,)
    same_width *pair_flips                 # (lanes,) flips counted by the fused step since the last drain
    double *reward_sum                     # (lanes,)

ctypedef struct Block:
    int agents
    int64_t lanes
    int64_t joint_actions
    int32_t *joint                         # (lanes,) the joint action as a number, agent 0 slowest
    int64_t *joint_counts                  # (lanes, joint_actions)
    bitgen_t *bitgen                       # stream="numpy" only
    bint nudge                             # signals of two actions are nudges, as step_pair reads them
    Seat seats[MAX_AGENTS]
