# ---
# tries: right answers as OrderedDict, tuple and an iterator class
# kind: honest
# score: {}
# ---

# %% words
from collections import OrderedDict


def words(text):
    found = OrderedDict()
    for word in text.split():
        found[word] = found.get(word, 0) + 1
    return found

# %% evens
class Evens:
    def __init__(self, limit):
        self.limit = limit
        self.next = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.next >= self.limit:
            raise StopIteration
        self.next += 2
        return self.next - 2


evens = Evens

# %% classify
def classify(x):
    return tuple(int(value > 0.5) for value in x)
