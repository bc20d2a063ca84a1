# ---
# tries: an answer cell copied by mistake; both are right
# kind: accident
# score: {}
# ---

# %% edit
again = copy.deepcopy(cell("total"))
again["id"] = "again"
cells.insert(cells.index(cell("total")), again)
