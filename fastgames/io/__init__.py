"""Results outside of a process: files, checkpoints, labelled arrays, tidy tables."""
