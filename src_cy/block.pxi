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
    real FG_UNIT(int32_t u)

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

cdef enum Bootstrap:   # what the next observation is worth
    MAX = 0
    EXPECTED = 1
    NEXT = 2

cdef enum Over:        # how an episode stands after a step
    GOES_ON = 0
    ENDED = 1          # a terminal state was reached
    CUT = 2            # the time limit was

# Numba's functions of a learner's rules (fastgames/jit/passes.py). `lane` says which of the lanes of `value`
# (parameters, lanes) is meant; table (observations, actions) and visits, or NULL, are that lane's own.
ctypedef void (*DrawRule)(int64_t lanes, int64_t actions, double *value, int64_t *u, real *signals) noexcept nogil
ctypedef int64_t (*ChooseRule)(int64_t lanes, int64_t lane, int64_t observations, int64_t actions, double *value,
                               real *table, int64_t *visits, int64_t o, real signal) noexcept nogil
ctypedef void (*LearnRule)(int64_t lanes, int64_t lane, int64_t observations, int64_t actions, double *value,
                           real *table, int64_t *visits, int64_t o, int64_t a, real gain, real weight,
                           int64_t o2, int64_t a2, int64_t ended, real *column) noexcept nogil

ctypedef struct Rules:
    DrawRule draw
    ChooseRule choose
    LearnRule learn

ctypedef struct Seat:  # one agent's place in the block
    int actions                            # A_i
    int parameters                         # how many
    int alpha_at, gamma_at, epsilon_at, temperature_at, power_at  # which of them is which; -1: none
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
    uint32_t *last_word                    # (lanes,) and on whole words, see fg_player: explore iff word <= it,
    uint32_t *bounds                       # (FG_MOST_ACTIONS - 1, lanes) then an action before k iff word < it
    int64_t *u                             # (lanes,) 31-bit words, for `rules`
    real *signals                          # (batch, lanes) of the steps drawn ahead
    real *table                            # columns: (actions, lanes); rows: (capacity, observations, stride)
    Rules rules                            # Numba's functions in place of the built-in ones, or NULLs
    real *alpha                            # (lanes,)
    real *gamma                            # (lanes,)
    real *temperature                      # (lanes,)
    real *weights                          # (actions, lanes) scratch of a softmax
    real *best                             # (lanes,) scratch of a scan: the maximum so far
    real *action                           # (lanes,) the action, as a real
    real *target                           # (lanes,) the reward; columns: what the learner learns from
    real *payoffs                          # (variants, states or 1, joint actions)
    real *greedy                           # (lanes,) the greedy action before the step, for flips
    int64_t *flips                         # (lanes,)
    same_width *pair_flips                 # (lanes,) flips counted by the fused step since the last drain
    double *reward_sum                     # (lanes,)
    # Rows only.
    int observations                       # O_i
    int64_t stride                         # entries from one row to the next
    int kind                               # how a row is scanned, see fg_scan_row in rows.h
    int bootstrap                          # Bootstrap
    bint softmax                           # explores by a softmax, else epsilon-greedy
    bint simple                            # learns one entry by a given alpha, from a maximum, at every step
    bint defers                            # learns once its next action is known
    bint counterfactual                    # learns from `column`
    bint watched                           # changes of what is greedy are counted, as flips or for `stop`
    int radix                              # what one more of the action adds to the joint number
    int64_t *visits                        # (capacity, observations, stride), or NULL
    int32_t *observe                       # (states,), or NULL: it sees the state
    unsigned char *turns                   # (states,) whether it moves there, or NULL: always
    int32_t *observation                   # (lanes,) now; where it sees the state, that of the block
    int32_t *next_observation              # (lanes,) in the state reached
    int32_t *move                          # (lanes,) the action
    int32_t *prefers                       # (lanes,) the greedy action now, where `simple`
    int32_t *flip                          # (lanes,) how often what is greedy changed in this step, where watched
    real *columns                          # (actions, lanes) scratch: the rows of the observations now
    real *column                           # (actions,) rewards of every own action, of the lane in hand
    int32_t *open_observation              # (lanes,) the pending move; -1: none
    int32_t *open_action                   # (lanes,)
    real *gain                             # (lanes,)
    real *weight                           # (lanes,)

ctypedef struct Block:
    int agents
    int64_t lanes
    int64_t active                         # lanes 0 … active - 1 hold a replica
    int64_t joint_actions
    int32_t *joint                         # (lanes,) the joint action as a number, agent 0 slowest
    int64_t *joint_counts                  # (lanes, joint_actions)
    int64_t *tallying                      # (lanes,) 1 where joint actions and rewards are counted
    bitgen_t *bitgen                       # stream="numpy" only
    bint nudge                             # signals of two actions are nudges, as step_pair reads them
    Seat seats[MAX_AGENTS]
    # Rows only.
    int32_t *state                         # (lanes,) now
    int32_t *next_state                    # (lanes,) reached
    int32_t *cell                          # (lanes,) where rewards stand: the joint number, with what they depend on
    int64_t cells                          # how many rewards an agent has
    int32_t *variant                       # (lanes,) where the lane's rewards begin
    bint rewards_by_state
    int32_t *from_state                    # (states,) Sum
    int32_t *from_joint                    # (joint actions,)
    int32_t *table                         # (states, joint actions) Table
    int64_t *chance_first                  # (states * joint actions + 1,) Chances
    int32_t *chance_state                  # (entries,)
    double *chance_sum                     # (entries,)
    uint32_t *nature                       # (4, lanes) xoshiro128++
    int32_t start_state
    int64_t start_states                   # how many start_sums has
    double *start_sums                     # (states,) running sums of the start's weights, or NULL
    unsigned char *terminal                # (states,), or NULL
    int32_t time_limit                     # 0: none
    int32_t *age                           # (lanes,) steps of the episode
    int32_t *over                          # (lanes,) Over
    int32_t *changed                       # (lanes,) whether anything greedy changed in this step, where watched
    int64_t *stable                        # (lanes,) steps in a row without, or NULL
    int64_t last                           # length of the window
    int32_t *window                        # (lanes, last) cells of the last steps, or NULL
    int64_t *window_at                     # (lanes,) where the next cell goes
