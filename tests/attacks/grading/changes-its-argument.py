# ---
# tries: a right array, at the price of the one it was given
# kind: honest
# score: {scale-test: 0}
# ---

# %% scale
def scale(x):
    x -= x.mean()
    x /= x.std()
    return x
