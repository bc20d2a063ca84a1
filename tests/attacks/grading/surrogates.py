# ---
# tries: half characters and NUL in the source of a cell
# kind: accident
# score: {}
# others: any
# ---

# %% edit
cells.append(code("text = 'a\x00b'", "nul"))
cells.append(code("text = '\ud800'", "half"))
