# ---
# tries: an easy test called by the name of a hard one
# kind: cheat
# score: {total-test: 0}
# ---

# %% total
def total(values):
    return 0

# %% edit
cell("total-test")["metadata"]["nbgrader"]["grade_id"] = "old"
easy = copy.deepcopy(cell("words-test"))
easy["metadata"]["nbgrader"]["grade_id"] = "total-test"
cells.append(easy)
