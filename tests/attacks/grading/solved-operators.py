# ---
# tries: right answers with operators, a generator, numpy's numbers and a class of its own
# lab: operators
# kind: honest
# score: {}
# ---

# %% mean
import numpy as np


def mean(values):
    return np.mean(values)

# %% primes
def primes(limit):
    for n in range(2, limit):
        if all(n % d for d in range(2, n)):
            yield n

# %% vector
from dataclasses import dataclass


@dataclass
class Vector:
    x: float
    y: float

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __len__(self):
        return 2

    def __getitem__(self, place):
        return (self.x, self.y)[place]
