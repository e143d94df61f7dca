# The block: a fixed number of replicas (lanes) stepped together. It holds a plain pointer to everything
# that a kernel reads or writes; the memory belongs to NumPy arrays that Lanes keeps alive. The lane is
# the last axis of arrays over lanes, so that kernels run along the lanes.

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
    MAX_PARAMETERS = 64  # length of Seat.schedule; learners with more parameters are rejected

cdef enum Schedule:
    CONSTANT = 0
    EXPONENTIAL = 1
    LINEAR = 2
    HYPERBOLIC = 3
    TABULATED = 4

cdef enum Bootstrap:   # value of the next observation: maximum, expectation, or that of the next action
    MAX = 0
    EXPECTED = 1
    NEXT = 2

cdef enum:             # a code of fastgames/errors.py
    OPENED_OUT_OF_TURN = 13

cdef enum Over:        # status of an episode after a step
    GOES_ON = 0
    ENDED = 1          # terminal: a terminal state was reached
    CUT = 2            # truncated: the time limit was reached

# Passes that Numba compiled from a learner's rules (fastgames/compiler/passes.py) or a game's functions
# (compiler/games.py), for all lanes of a block. wrong (4,): the first error, see Lanes.wrong.
ctypedef void (*ActRule)(int64_t lanes, int64_t active, int64_t *sizes, double *value, int64_t *tables,
                         int32_t *observation, int64_t *u, int64_t drawn, real *signals, int32_t *move,
                         int64_t *wrong) noexcept nogil
ctypedef void (*LearnRule)(int64_t lanes, int64_t active, int64_t *sizes, int64_t *counts, double *value,
                           int64_t *tables, int32_t *due, int32_t *o, int32_t *a, real *gain, real *weight,
                           int32_t *o2, int32_t *a2, int32_t *over, real *signals, real *columns, int64_t *actions,
                           real *rewards, int64_t watched, int32_t *flip, int64_t *wrong) noexcept nogil
ctypedef void (*TeamRule)(int64_t lanes, int64_t active, int64_t *sizes, double *value, int64_t *tables, int32_t *due,
                          int64_t *o, int64_t *a, unsigned char *moves, int64_t *o2, unsigned char *next_moves,
                          real *rewards, real *weight, int32_t *over, real *signals, int64_t watched, int32_t *flip,
                          int64_t *wrong) noexcept nogil
ctypedef void (*LookRule)(int64_t lanes, int64_t active, int64_t *counts, int64_t *state, int32_t *observation,
                          unsigned char *moves, int64_t *wrong) noexcept nogil
ctypedef void (*PlayRule)(int64_t lanes, int64_t active, int64_t *counts, int64_t *state, int64_t *actions,
                          int64_t *words, double *scratch, real *rewards, int32_t *observation, unsigned char *moves,
                          int32_t *over, int64_t *wrong) noexcept nogil
ctypedef void (*BeginRule)(int64_t lanes, int64_t lane, int64_t *counts, int64_t *state, int64_t *words,
                           int32_t *observation, unsigned char *moves, int64_t *wrong) noexcept nogil
ctypedef void (*ImagineRule)(int64_t lanes, int64_t active, int64_t agent, int64_t own, int64_t *state,
                             int64_t *actions, int64_t *words, int64_t *scratch_state, double *scratch, real *columns,
                             int64_t *wrong) noexcept nogil

ctypedef struct Team:  # data of a team's members, gathered for their pass; the first member's Seat points to it
    int members
    int *agents                            # (members,)
    TeamRule learn
    int64_t *sizes                         # sizes of every table, see fastgames/compiler/passes.py
    int64_t *tables                        # addresses of the tables, then of what the rules ask for
    int32_t *due                           # (lanes,) 1 where the team learns
    int64_t *o                             # (lanes, members)
    int64_t *a                             # (lanes, members)
    unsigned char *moves                   # (lanes, members) 1 if the member made the move; without turns ones
    int64_t *o2                            # (lanes, members)
    unsigned char *next_moves              # (lanes, members) 1 if the member is to move next; without turns ones
    real *rewards                          # (lanes, members)
    real *signals                          # (lanes, members, words)
    int32_t *flip                          # (lanes, members)

ctypedef struct Seat:  # one agent's place in the block
    int actions                            # A_i
    int parameters                         # number of parameters
    int alpha_at, beta_at, gamma_at, epsilon_at, temperature_at, power_at  # index of each parameter; -1: absent
    bint hysteretic                        # its step size is beta where the target is below the value
    int schedule[MAX_PARAMETERS]           # Schedule
    # Arrays over lanes. Parameters are float64: the current value, and the numbers of its schedule.
    double *value                          # (parameters, lanes)
    double *first                          # (parameters, lanes) exponential: v; linear, hyperbolic: start
    double *second                         # (parameters, lanes) exponential: exp(-rate); linear: end; hyperbolic: offset
    double *third                          # (parameters, lanes) exponential: floor; linear: steps; hyperbolic: power
    double *clock                          # (lanes,) steps since the start of the schedules
    uint32_t *stream                       # (4, lanes) xoshiro128++
    int32_t *threshold                     # (lanes,) T - 1: explore iff u <= it
    real *scale                            # (lanes,) A / T
    int32_t *half                          # (lanes,) with two actions: explore action 1 iff u >= it
    uint32_t *bounds                       # (FG_MOST_ACTIONS, lanes) see fg_player in steps.h
    # Of the next steps of a few lanes, see take_scheduled_steps:
    double *values_ahead                   # (2, FG_AHEAD, FG_GROUP) scratch: values of alpha and epsilon
    real *alpha_ahead                      # (FG_AHEAD, FG_GROUP)
    uint32_t *bounds_ahead                 # (FG_MOST_ACTIONS, FG_AHEAD, FG_GROUP)
    int words                              # random words drawn per step
    bint explores                          # its signal is an action to explore or -1; else a number in [0, 1)
    real *signals                          # (batch, lanes) drawn ahead; (words, lanes) if a rule makes them
    real *table                            # columns: (actions, lanes); rows: (capacity, observations, stride)
    ActRule act                            # passes compiled by Numba; NULL: the built-in ones
    LearnRule learn
    Team *team                             # its team, if it is the first member; else NULL
    bint drawn                             # 1: the built-in passes make its signals
    int64_t *u                             # (batch, words, lanes) else: random words of 31 bits for its rule
    int64_t *sizes                         # for Numba: actions, observations, agents, own index, tables' dimensions
    int64_t *tables                        # for Numba: addresses of the tables, then of what the rules ask for
    real *alpha                            # (lanes,)
    real *beta                             # (lanes,)
    real *gamma                            # (lanes,)
    real *temperature                      # (lanes,)
    real *weights                          # (actions, lanes) scratch for the softmax
    real *best                             # (lanes,) scratch for scans: the maximum so far
    real *action                           # (lanes,) the action, as a real
    real *target                           # (lanes,) the reward; columns: then the target of the update
    real *payoffs                          # (variants, states or 1, joint actions)
    real *greedy                           # (lanes,) the greedy action before the step, to count flips
    int64_t *flips                         # (lanes,) changes of the greedy action
    same_width *pair_flips                 # (lanes,) flips counted by fused steps since the last drain_flips
    # Rows only.
    int observations                       # O_i
    int64_t stride                         # entries from one row to the next
    int kind                               # kernel that scans a row, see fg_scan_row in rows.h
    int bootstrap                          # Bootstrap
    bint softmax                           # explores by a softmax; else epsilon-greedy
    bint columnar                          # one observation and no discounting: the table is (actions, lanes)
    bint simple                            # epsilon-greedy Q-learner that moves and updates one entry at every step
    bint defers                            # learns once its next action is known
    bint counterfactual                    # learns from `column`
    bint cuts                              # its rule sees moves that a time limit cuts before its next turn
    bint steps                             # its rule learns from every step, whoever moves
    bint watched                           # changes of the greedy action are counted, for flips or `stop`
    int radix                              # stride of its action in the joint action's number
    int64_t *visits                        # (capacity, observations, stride), or NULL
    int32_t *observe                       # (states,) observation of each state; NULL: it observes the state
    unsigned char *turns                   # (states,) 1 where it moves; NULL: it always moves. In a game of functions
                                           # entries of `moves` and `moves_next`, see Lanes.add_turns
    int32_t *observation                   # (lanes,) current observation; the block's state if it observes that
    int32_t *next_observation              # (lanes,) observation of the next state
    int32_t *move                          # (lanes,) the action
    int32_t *prefers                       # (lanes,) the current greedy action, if `simple`
    int32_t *flip                          # (lanes,) changes of the greedy action in this step, if watched
    real *columns                          # (actions, lanes) scratch: the rows of the current observations
    real *column                           # (lanes, actions) the reward of every own action
    int32_t *due                           # (lanes,) 1 where the rule learns
    int32_t *reached                       # (lanes,) if `cuts`: next observation, or -1 after a move that was cut
    int32_t *open_observation              # (lanes,) observation of the pending move; -1: none
    int32_t *open_action                   # (lanes,) action of the pending move; -1: its team moved, and it did not
    real *gain                             # (lanes,) discounted rewards since the pending move
    real *weight                           # (lanes,) discount factor of the next reward
    # Tabulated schedules only.
    double *ahead[MAX_PARAMETERS]          # (rows, lanes) values of the next steps, or NULL
    int64_t *row                           # (1,) the row of the current step

ctypedef struct Block:
    int agents
    int64_t lanes
    int64_t active                         # lanes 0 … active - 1 hold a replica
    int64_t joint_actions                  # number of joint actions
    int32_t *joint                         # (lanes,) index of the joint action; agent 0's action varies slowest
    int64_t *tallying                      # (lanes,) 1 where counts over the last steps are recorded
    double discount                        # of the game
    int64_t path                           # length of the rings of the last steps
    int64_t *path_at                       # (lanes,) index of the next entry of the rings, or NULL
    bitgen_t *bitgen                       # stream="numpy" only
    bint nudge                             # signals of agents with two actions are nudges, as step_pair reads them
    Seat *seats                            # (agents,)
    int64_t *wrong                         # (4,) the first error in Numba's passes, see Lanes.wrong
    int64_t *counts                        # (agents,) number of actions of every agent
    int64_t *actions                       # (lanes, agents) actions, if a learner or the game reads them
    real *rewards                          # (lanes, agents) rewards, if a learner reads them
    unsigned char *moved                   # (lanes, agents) 1 if the agent moves in this step, if a learner reads it
    int32_t *always                        # (lanes,) ones
    int32_t *never                         # (lanes,) zeros
    int32_t *nothing                       # (lanes,) minus ones: no next action
    int64_t *step                          # (lanes,) steps of the replica before this one, if a rule reads it
    uint32_t *mediator                     # (4, lanes) xoshiro128++
    int64_t *said                          # (lanes,) the mediator's word of this step
    # Rows only.
    int64_t opening_steps                  # steps of the opening
    int32_t *opening                       # (lanes, opening_steps, agents) joint actions of a run's first steps, or NULL
    int64_t *opening_at                    # (lanes,) index of the next one; opening_steps and above: none is left
    int32_t *state                         # (lanes,) current state
    int32_t *next_state                    # (lanes,) next state
    int32_t *cell                          # (lanes,) index of the rewards: by joint action, state and variant
    int64_t cells                          # number of rewards of an agent
    int32_t *variant                       # (lanes,) offset of the lane's variant in the rewards
    bint rewards_by_state                  # rewards depend on the state
    int32_t *from_state                    # (states,) transitions: a Sum
    int32_t *from_joint                    # (joint actions,)
    int32_t *table                         # (states, joint actions) transitions: a Table
    int64_t *chance_first                  # (states * joint actions + 1,) transitions: Chances
    int32_t *chance_state                  # (entries,)
    double *chance_sum                     # (entries,)
    uint32_t *nature                       # (4, lanes) xoshiro128++
    int32_t start_state
    int64_t start_states                   # length of start_sums
    double *start_sums                     # (states,) running sums of the start's weights, or NULL
    unsigned char *terminal                # (states,) 1 where terminal, or NULL
    int32_t time_limit                     # steps of an episode at most; 0: no limit
    int32_t *age                           # (lanes,) steps of the episode so far
    int32_t *over                          # (lanes,) Over
    bint ends                              # terminal states may be reached
    # Games of functions only.
    LookRule look_rule                     # passes compiled by Numba, or NULL
    PlayRule play_rule
    BeginRule begin_rule
    ImagineRule imagine_rule
    int64_t words                          # words that nature draws per step
    int64_t start_words                    # words that nature draws per start of an episode
    int64_t *observations                  # (agents,) number of observations of every agent
    int64_t *full_state                    # (lanes, state_size)
    int64_t state_size                     # numbers in a state
    int64_t *word                          # (words, lanes) nature's words of the step
    int64_t *start_word                    # (start_words,) nature's words of a start
    int64_t *scratch_state                 # (state_size,)
    double *scratch                        # (agents,)
    real *reward                           # (agents, lanes)
    int32_t *seen                          # (agents, lanes) current observations
    int32_t *seen_next                     # (agents, lanes) observations of the next state
    unsigned char *moves                   # (agents, lanes) 1 where an agent moves; NULL: all agents always move
    unsigned char *moves_next              # (agents, lanes) the same in the next state
    real *reward_window                    # (lanes, last, agents), or NULL
    # Both kinds of games with rows.
    int32_t *changed                       # (lanes,) nonzero if a watched greedy action changed in this step
    int64_t *stable                        # (lanes,) steps in a row without a change, or NULL
    int64_t *waits                         # (lanes,) steps from now before which a lane may not stop; <= 0: none
    int64_t last                           # length of the window
    int32_t *window                        # (lanes, last) cells of the last steps, or NULL
    int64_t *window_at                     # (lanes,) index of the next entry of the window
