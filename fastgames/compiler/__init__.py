"""From rules to machine code by Numba: functions and passes, kept on disk."""
