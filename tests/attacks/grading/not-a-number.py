# ---
# tries: NaN for an answer, alone, in arrays and in labels
# kind: accident
# score: {total-test: 0, scale-test: 0, classify-test: 0}
# ---

# %% total
def total(values):
    return float("nan")

# %% scale
def scale(x):
    return x * float("nan")

# %% classify
def classify(x):
    return x * float("nan")
