"""The version of the package. pyproject.toml reads it; the file must import nothing."""

__version__ = "0.1.0"
