# Environments: blocks stepped together, by actions that come from outside.

ctypedef fused whole:
    int32_t
    int64_t


cdef whole hand_in(const whole *actions, int64_t n, whole count, ints move) noexcept nogil:
    """Copy actions to where the engine has its moves; whether any is out of [0, count)."""
    cdef int64_t i
    cdef whole a, wrong = 0
    for i in range(n):
        a = actions[i]  # read once: what is checked is what is played, whoever writes there meanwhile
        move[i] = <int32_t>a
        wrong |= (a < 0) | (a >= count)
    return wrong


cdef class Stepper:
    """Blocks of one game, in which some agents are played from outside, stepped together.

    blocks: Lanes, each with its `outside`, in the order of the environments; agents: those played from outside.
    busy: whether a thread is stepping; taken: steps since the caller set it to 0, counted where they are taken, so that
    no signal can come in between.
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
        """One step of every environment by actions (agents, environments), a C-contiguous array of int32 or int64.

        Returns 0; or what is wrong, and then nothing has moved: 1, the array is of another form; 2, an action is out of
        range; or 3, something went wrong in a function of a user's, see `Lanes.wrong`. Raises RuntimeError where another
        thread is stepping them.
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
