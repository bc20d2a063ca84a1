# ---
# tries: right answers made of numpy's numbers and arrays
# kind: honest
# score: {}
# ---

# %% total
def total(values):
    return np.sum(np.array(values, dtype=np.int64) ** 2)

# %% evens
def evens(limit):
    return np.arange(0, limit, 2)

# %% words
from collections import defaultdict


def words(text):
    found = defaultdict(lambda: np.int64(0))
    for word in text.split():
        found[word] += 1
    return found
