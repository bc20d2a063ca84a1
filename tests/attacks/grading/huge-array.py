# ---
# tries: an array of 8 GB that no memory holds
# kind: accident
# score: {scale-test: 0}
# ---

# %% scale
def scale(x):
    return np.broadcast_to(np.zeros(1), (1_000_000_000,))
