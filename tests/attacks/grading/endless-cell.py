# ---
# tries: a cell of its own that never ends; the answers are right
# kind: accident
# score: {}
# ---

# %% free
while True:
    pass
