"""What this CPU can run."""

def x86_level() -> int:
    """The x86-64 micro-architecture level (1 to 4), or 0 where the question does not arise."""
