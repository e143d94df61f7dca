"""Random streams: one counter-based seed, one small generator per (seed, replica, role).

Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011) turns (seed, replica, role) into the state of a
xoshiro128++ (Blackman & Vigna, ACM TOMS 47(4), 2021). Philox is a bijection of its counter, so
distinct replicas and roles never share a state; xoshiro costs a tenth of it per word.

Words are plain ints masked to 32 bits, which works both interpreted and compiled by Numba.
"""

from typing import Any

MASK = 0xFFFFFFFF


def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Return four random words of the generator Philox4x32-10 (Salmon et al., SC 2011).

    Parameters
    ----------
    c0, c1, c2, c3 : int
        Words of the counter, 32 bits each.
    k0, k1 : int
        Words of the key, 32 bits each.

    Returns
    -------
    tuple of 4 int
        Words of 32 bits.
    """
    for _ in range(10):
        p0 = 0xD2511F53 * c0
        p1 = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            ((p1 >> 32) & MASK) ^ c1 ^ k0,
            p1 & MASK,
            ((p0 >> 32) & MASK) ^ c3 ^ k1,
            p0 & MASK,
        )
        k0 = (k0 + 0x9E3779B9) & MASK
        k1 = (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def start(seed_low: int, seed_high: int, replica: int, role: int, state: Any) -> None:
    """Write the first state of a stream into `state`.

    Parameters
    ----------
    seed_low, seed_high : int
        Lower and upper 32 bits of the seed.
    replica : int
        Number of the replica, in [0, 2^63).
    role : int
        Number of the agent, or the number of agents for nature.
    state : array (4,)
        Words of 32 bits, modified in place.
    """
    s0, s1, s2, s3 = philox(replica & MASK, (replica >> 32) & MASK, role, 0, seed_low, seed_high)
    if s0 | s1 | s2 | s3 == 0:  # the all-zero state is a fixed point of xoshiro
        s0 = 1
    state[0] = s0
    state[1] = s1
    state[2] = s2
    state[3] = s3


def next_word(state: Any) -> int:
    """Advance a xoshiro128++ stream by one step, and return its random word.

    Parameters
    ----------
    state : array (4,)
        Words of 32 bits, modified in place.

    Returns
    -------
    int
        Word of 32 bits.
    """
    s0 = int(state[0])
    s1 = int(state[1])
    s2 = int(state[2])
    s3 = int(state[3])
    total = (s0 + s3) & MASK
    word = ((((total << 7) & MASK) | (total >> 25)) + s0) & MASK
    shifted = (s1 << 9) & MASK
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = ((s3 << 11) & MASK) | (s3 >> 21)
    state[0] = s0
    state[1] = s1
    state[2] = s2
    state[3] = s3
    return word
