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
    MAX_PARAMETERS = 16  # bounds an array below; run() says so before anything is allocated

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

# Passes that Numba made of a learner's rules (fastgames/compiler/passes.py) or a game's functions (compiler/games.py), for all
# lanes of a block. wrong (4,): what went wrong first, see Lanes.wrong.
ctypedef void (*ActRule)(int64_t lanes, int64_t active, int64_t *sizes, double *value, int64_t *tables,
                         int32_t *observation, int64_t *u, int64_t drawn, real *signals, int32_t *move,
                         int64_t *wrong) noexcept nogil
ctypedef void (*LearnRule)(int64_t lanes, int64_t active, int64_t *sizes, int64_t *counts, double *value,
                           int64_t *tables, int32_t *due, int32_t *o, int32_t *a, real *gain, real *weight,
                           int32_t *o2, int32_t *a2, int32_t *over, real *signals, real *columns, int64_t *actions,
                           real *rewards, int64_t watched, int32_t *flip, int64_t *wrong) noexcept nogil
ctypedef void (*TeamRule)(int64_t lanes, int64_t active, int64_t *sizes, double *value, int64_t *tables, int64_t *o,
                          int64_t *a, int64_t *o2, real *rewards, real *weight, int32_t *over, real *signals,
                          int64_t watched, int32_t *flip, int64_t *wrong) noexcept nogil
ctypedef void (*LookRule)(int64_t lanes, int64_t active, int64_t *counts, int64_t *state, int32_t *observation,
                          int64_t *wrong) noexcept nogil
ctypedef void (*PlayRule)(int64_t lanes, int64_t active, int64_t *counts, int64_t *state, int64_t *actions,
                          int64_t *words, double *scratch, real *rewards, int32_t *observation, int32_t *over,
                          int64_t *wrong) noexcept nogil
ctypedef void (*BeginRule)(int64_t lanes, int64_t lane, int64_t *counts, int64_t *state, int64_t *words,
                           int32_t *observation, int64_t *wrong) noexcept nogil
ctypedef void (*ImagineRule)(int64_t lanes, int64_t active, int64_t agent, int64_t own, int64_t *state,
                             int64_t *actions, int64_t *words, int64_t *scratch_state, double *scratch, real *columns,
                             int64_t *wrong) noexcept nogil

ctypedef struct Team:  # the members of a team, gathered for their pass; it hangs at its first member
    int members
    int *agents                            # (members,)
    TeamRule learn
    int64_t *sizes                         # of every table, see fastgames/compiler/passes.py
    int64_t *tables                        # their addresses
    int64_t *o                             # (lanes, members)
    int64_t *a                             # (lanes, members)
    int64_t *o2                            # (lanes, members)
    real *rewards                          # (lanes, members)
    real *signals                          # (lanes, members, words)
    int32_t *flip                          # (lanes, members)

ctypedef struct Seat:  # one agent's place in the block
    int actions                            # A_i
    int parameters                         # how many
    int alpha_at, beta_at, gamma_at, epsilon_at, temperature_at, power_at  # which of them is which; -1: none
    bint hysteretic                        # learns losses by beta
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
    int words                              # random words that it draws in a step
    bint explores                          # its signal is an action to explore, else a number in [0, 1)
    real *signals                          # (batch, lanes) of the steps drawn ahead; (words, lanes) by a rule
    real *table                            # columns: (actions, lanes); rows: (capacity, observations, stride)
    ActRule act                            # Numba's passes in place of the built-in ones, or NULLs
    LearnRule learn
    Team *team                             # of its team's first member, or NULL
    bint drawn                             # whether the built-in passes make its signals
    int64_t *u                             # (batch, words, lanes) else: its words of 31 bits
    int64_t *sizes                         # for these: actions, observations, agents, own number, tables' dimensions
    int64_t *tables                        # addresses of the tables
    real *alpha                            # (lanes,)
    real *beta                             # (lanes,)
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
    bint columnar                          # one observation, nothing to discount: its table is (actions, lanes) here too
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
    real *column                           # (lanes, actions) rewards of every own action
    int32_t *due                           # (lanes,) which lanes learn, for rules
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
    Seat *seats                            # (agents,)
    int64_t *wrong                         # (4,) what went wrong first in Numba's passes
    int64_t *counts                        # (agents,) actions of every agent
    int64_t *actions                       # (lanes, agents) what was done, where somebody asks
    real *rewards                          # (lanes, agents) and got
    int32_t *always                        # (lanes,) ones
    int32_t *never                         # (lanes,) zeros
    int32_t *nothing                       # (lanes,) minus ones: no next action
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
    bint ends                              # whether terminal states may be reached
    # Games of functions only.
    LookRule look_rule                     # Numba's passes, or NULLs
    PlayRule play_rule
    BeginRule begin_rule
    ImagineRule imagine_rule
    int64_t words                          # that nature draws in a step
    int64_t start_words                    # and at a start
    int64_t *observations                  # (agents,) how many each has
    int64_t *full_state                    # (lanes, state_size)
    int64_t state_size
    int64_t *word                          # (words, lanes)
    int64_t *start_word                    # (start_words,)
    int64_t *scratch_state                 # (state_size,)
    double *scratch                        # (agents,)
    real *reward                           # (agents, lanes)
    int32_t *seen                          # (agents, lanes) observations now
    int32_t *seen_next                     # (agents, lanes) and in the state reached
    real *reward_window                    # (lanes, last, agents), or NULL
    int32_t *changed                       # (lanes,) whether anything greedy changed in this step, where watched
    int64_t *stable                        # (lanes,) steps in a row without, or NULL
    int64_t *waits                         # (lanes,) steps from now for which a lane may not stop, at most 0: none
    int64_t last                           # length of the window
    int32_t *window                        # (lanes, last) cells of the last steps, or NULL
    int64_t *window_at                     # (lanes,) where the next cell goes
