"""Games of the catalogue given by functions; examples for user-defined procedural games."""
