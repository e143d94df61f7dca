"""Two Q-learners at matching pennies, in a loop of one's own."""

from pennies.loop import by_hand, play

__all__ = ["by_hand", "play"]
