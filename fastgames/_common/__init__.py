"""What every layer uses: checks of arguments, seeds, interrupts, names imported on first use."""
