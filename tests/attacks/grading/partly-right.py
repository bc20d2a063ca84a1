# ---
# tries: labels of which three in four are right
# kind: honest
# score: {classify-test: 3}
# ---

# %% classify
def classify(x):
    labels = (x > 0.5).astype(int)
    labels[0] = 1 - labels[0]
    return labels
