"""Helpers of every layer: checks of arguments, seeds, interrupts, names imported on first use."""
