"""The verbs of the `ulab` command; each module registers its own."""
