# ---
# tries: a test cell removed by mistake; the answers are right
# kind: accident
# score: {}
# ---

# %% edit
cells.remove(cell("total-test"))
