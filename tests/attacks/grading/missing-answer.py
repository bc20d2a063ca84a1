# ---
# tries: an answer cell removed by mistake
# kind: accident
# score: {total-test: 0}
# ---

# %% edit
cells.remove(cell("total"))
