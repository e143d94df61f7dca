"""Functions that users bring: what they may use, digests and copies, the types of their numbers."""
