"""Users' functions: purity checks, digests, frozen copies and promotion of number types."""
