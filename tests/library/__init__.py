"""What tests of several modules share: comparison bit for bit, random games, learners and runs."""
