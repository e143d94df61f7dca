"""Plain functions that say what agents do and learn in one step; form as in `qlearning`."""
