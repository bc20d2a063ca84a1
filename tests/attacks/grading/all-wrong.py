# ---
# tries: an honest wrong answer everywhere
# kind: honest
# score: {}
# others: zero
# ---

# %% total
def total(values):
    return sum(values)

# %% tally
class Tally:
    size = 0

    def add(self, word):
        pass

    def count(self, word):
        return 0

# %% scale
def scale(x):
    return x - x.mean()

# %% classify
def classify(x):
    return (x < 0.5).astype(int)

# %% words
def words(text):
    return {word: 1 for word in text.split()}

# %% evens
def evens(limit):
    return range(1, limit, 2)
