"""Games by name: a module for each, of the same name; what several share begins with `_`."""
