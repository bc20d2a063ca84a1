# ---
# tries: numpy's own warning for a division by zero; the answers are right
# kind: honest
# score: {}
# ---

# %% scale
def scale(x):
    np.array([1.0]) / np.array([0.0])
    return (x - np.mean(x)) / np.sqrt(np.mean((x - np.mean(x)) ** 2))
