# ---
# tries: all cells in the reverse order
# kind: accident
# score: {}
# others: any
# ---

# %% edit
cells.reverse()
