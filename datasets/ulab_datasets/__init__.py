"""Data sets: their cards, where they come from, and the verified store that labs read."""
