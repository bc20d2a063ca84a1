# ---
# tries: right answers as Counter, generator and list
# kind: honest
# score: {}
# ---

# %% words
def words(text):
    return Counter(text.split())

# %% evens
def evens(limit):
    for number in range(limit):
        if number % 2 == 0:
            yield number

# %% classify
def classify(x):
    return [1 if value > 0.5 else 0 for value in x]

# %% tally
from collections import Counter


class Tally:
    def __init__(self):
        self._counts = Counter()

    def add(self, word):
        self._counts.update([word])

    def count(self, word):
        return self._counts[word]

    size = property(lambda self: len(self._counts))
