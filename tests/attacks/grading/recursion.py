# ---
# tries: recursion without an end
# kind: accident
# score: {total-test: 0}
# ---

# %% total
def total(values):
    return total(values)
