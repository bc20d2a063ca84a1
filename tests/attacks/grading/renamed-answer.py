# ---
# tries: an answer cell called by a name the lab does not know
# kind: accident
# score: {total-test: 0}
# ---

# %% edit
found = cell("total")
found["source"] = found["source"].replace("def total", "def totals")
found["metadata"]["nbgrader"]["grade_id"] = "totals"
