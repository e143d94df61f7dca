# Environments: blocks that are stepped together by actions that the caller passes in.

ctypedef fused whole:
    int32_t
    int64_t


cdef whole hand_in(const whole *actions, int64_t n, whole count, ints move) noexcept nogil:
    """Copy actions to the engine's moves; return nonzero if any is outside [0, count)."""
    cdef int64_t i
    cdef whole a, wrong = 0
    for i in range(n):
        a = actions[i]  # read once, so that a concurrent write cannot change the action after the check
        move[i] = <int32_t>a
        wrong |= (a < 0) | (a >= count)
    return wrong


cdef class Stepper:
    """Blocks of one game with agents played from outside, stepped together.

    Parameters
    ----------
    blocks : list of Lanes
        The blocks, each with its `outside`, in the order of the environments.
    agents : list of int
        The agents played from outside.

    Attributes
    ----------
    busy : bool
        True while a thread is stepping.
    taken : int
        Steps since the caller set it to 0. They are counted here, so that no signal can interrupt between a step and its
        count.
    """
    cdef public bint busy
    cdef public int64_t taken
    cdef list blocks
    cdef list memory
    cdef Loop **loops
    cdef Outside **places
    cdef int *agents
    cdef int num_blocks, num_agents
    cdef int64_t environments

    def __init__(self, list blocks, agents):
        cdef int i
        self.blocks, self.memory = blocks, []
        self.num_blocks, self.num_agents = len(blocks), len(agents)
        places = [aligned((max(1, n),), np.intp) for n in (len(blocks), len(blocks), len(agents))]
        self.memory += places
        self.loops, self.places = <Loop **>address(places[0]), <Outside **>address(places[1])
        self.agents = <int *>address(places[2])
        for i in range(len(agents)):
            self.agents[i] = agents[i]
        for i in range(len(blocks)):
            self.loops[i] = &(<Lanes>blocks[i]).loop
            self.places[i] = &(<Lanes>blocks[i]).out
            self.environments += (<Lanes>blocks[i]).active

    def step(self, actions):
        """Take one step of every environment; actions: (agents, environments), C-contiguous int32 or int64.

        Return 0; or 1 if the array has another shape or dtype, or 2 if an action is out of range, without a step; or 3
        if a user's function failed, see `Lanes.wrong`. Raise RuntimeError if another thread is stepping them.
        """
        cdef Py_buffer given
        cdef int wrong
        if self.busy:
            raise RuntimeError("another thread is stepping these environments: one thread at a time")
        PyObject_GetBuffer(actions, &given, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
        try:
            self.busy = True
            if given.ndim != 2 or given.shape[0] != self.num_agents or given.shape[1] != self.environments:
                return 1
            if given.itemsize == 4 and given.format[0] in b"il" and given.format[1] == 0:
                with nogil:
                    wrong = self.play(<int32_t *>given.buf)
            elif given.itemsize == 8 and given.format[0] in b"lq" and given.format[1] == 0:
                with nogil:
                    wrong = self.play(<int64_t *>given.buf)
            else:
                return 1
        finally:
            self.busy = False
            PyBuffer_Release(&given)
        return wrong

    cdef int play(self, const whole *actions) noexcept nogil:
        cdef int j, n
        cdef Seat *s
        cdef Block *b
        cdef whole wrong = 0
        for n in range(self.num_blocks):
            b = self.loops[n].block
            for j in range(self.num_agents):
                s = &b.seats[self.agents[j]]
                wrong |= hand_in(actions + j * self.environments + self.places[n].first, b.active, <whole>s.actions,
                                 s.move)
        if wrong:
            return 2
        for n in range(self.num_blocks):
            take(self.loops[n], 1)
            if self.loops[n].block.wrong[0]:
                return 3
        self.taken += 1
        return 0
