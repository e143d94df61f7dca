"""Replicas stepped in blocks: the state of a run, compiled and interpreted blocks, the driver."""
