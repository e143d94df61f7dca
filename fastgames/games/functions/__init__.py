"""Games made of functions: what a user's own may look like."""
