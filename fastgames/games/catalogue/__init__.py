"""Games by name, one module per game; names of shared modules begin with `_`."""
