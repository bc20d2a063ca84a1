# ---
# tries: quit() in a cell of its own; the answers are right
# kind: accident
# score: {}
# others: full
# stock: autograde would try until its time is up
# ---

# %% free
raise SystemExit
