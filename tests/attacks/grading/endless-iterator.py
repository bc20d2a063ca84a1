# ---
# tries: an iterator class without an end, which gives its values as fast as it can
# kind: accident
# score: {evens-test: 0}
# ---

# %% evens
import itertools


class Evens:
    def __init__(self, limit):
        self.limit = limit

    def __iter__(self):
        return itertools.count(0, 2)


def evens(limit):
    return Evens(limit)
