"""Runs: one call, its parts, and what joins them."""
