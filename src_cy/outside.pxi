# Agents played from outside: the caller passes their actions in, and the passes write every agent's observations and
# rewards to arrays over all environments. A block owns a slice of these arrays.

ctypedef struct Outside:
    Block *block
    int64_t first                          # the block's first environment
    int64_t width                          # entries from one agent's row to the next
    int32_t *observations                  # (agents, width) observations at which agents choose next
    int32_t *reached                       # (agents, width) observations of the state that the step reached, before any
                                           # restart; NULL if episodes never end
    unsigned char *terminated              # (width,)
    unsigned char *truncated               # (width,)


cdef void show(Outside *out, int32_t *rows, bint reached) noexcept nogil:
    """Copy every agent's observations, current or (reached) of the next state, to its row of `rows`."""
    cdef Block *b = out.block
    cdef Seat *s
    cdef int j
    for j in range(b.agents):
        s = &b.seats[j]
        memcpy(rows + j * out.width, s.next_observation if reached else s.observation, b.active * sizeof(int32_t))


cdef void show_reached(void *context, int64_t lanes, int k) noexcept nogil:
    """Write the observations of the state reached, terminated and truncated; runs before the next episode begins."""
    cdef Outside *out = <Outside *>context
    cdef int32_t *over = out.block.over
    cdef unsigned char *terminated = out.terminated
    cdef unsigned char *truncated = out.truncated
    cdef int64_t i
    show(out, out.reached, True)
    for i in range(out.block.active):
        terminated[i] = over[i] == ENDED
        truncated[i] = over[i] == CUT


cdef void show_now(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Outside *out = <Outside *>context
    show(out, out.observations, False)
