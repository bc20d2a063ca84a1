# ---
# tries: quit() in a cell of its own; the answers are right
# kind: accident
# score: {}
# others: full
# ---

# %% free
raise SystemExit
