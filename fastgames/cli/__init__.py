"""The command `fastgames`."""
