# ---
# tries: an answer that is no Python
# kind: accident
# score: {total-test: 0}
# ---

# %% total
def total(values)
    return sum(value * value for value in values)
