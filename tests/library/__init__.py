"""Library of the tests: comparison bit for bit, random games, learners and runs."""
