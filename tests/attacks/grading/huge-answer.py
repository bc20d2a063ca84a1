# ---
# tries: an answer of a hundred million numbers
# kind: accident
# score: {total-test: 0}
# ---

# %% total
def total(values):
    return [0] * 100_000_000
