# %% nbgrader={"grade_id": "imports", "locked": true}
import pandas as pd

# %% nbgrader={"grade_id": "mean", "solution": true}
def mean(values):
    """The mean of the numbers."""
    ### BEGIN SOLUTION
    return sum(values) / len(values)
    ### END SOLUTION


# %% nbgrader={"grade_id": "mean-test", "grade": true, "points": 2}
assert abs(mean([1, 2]) - 1.5) < 1e-9
### BEGIN HIDDEN TESTS
assert isinstance(mean([4]), float)
assert abs(mean([3, 4, 8]) - 5) < 1e-9
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "primes", "solution": true}
def primes(limit):
    """The primes below `limit`: anything that can be gone through."""
    ### BEGIN SOLUTION
    return [n for n in range(2, limit) if all(n % d for d in range(2, n))]
    ### END SOLUTION


# %% nbgrader={"grade_id": "primes-test", "grade": true, "points": 2}
assert 5 in primes(8)
### BEGIN HIDDEN TESTS
assert 13 in primes(20) and 97 in primes(98)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "totals", "solution": true}
def totals(table):
    """The sum of each group, a table with the columns group and sum."""
    ### BEGIN SOLUTION
    return table.groupby("group", as_index=False)["value"].sum().rename(columns={"value": "sum"})
    ### END SOLUTION


# %% nbgrader={"grade_id": "totals-test", "grade": true, "points": 2}
sold = pd.DataFrame({"group": ["a", "b", "a"], "value": [1, 2, 3]})
### BEGIN HIDDEN TESTS
assert totals(sold).equals(pd.DataFrame({"group": ["a", "b"], "sum": [4, 2]}))
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "vector", "solution": true}
class Vector:
    """A point of the plane, with `+`, `==`, `len` and `[]`."""

    ### BEGIN SOLUTION
    def __init__(self, x, y):
        self.parts = (x, y)

    def __add__(self, other):
        return Vector(self[0] + other[0], self[1] + other[1])

    def __eq__(self, other):
        return self.parts == other.parts

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, place):
        return self.parts[place]
    ### END SOLUTION


# %% nbgrader={"grade_id": "vector-test", "grade": true, "points": 2}
moved = Vector(1, 2) + Vector(3, 4)
assert len(moved) == 2
### BEGIN HIDDEN TESTS
assert (moved[0], moved[1]) == (4, 6)
assert moved == Vector(4, 6) and moved != Vector(4, 7)
### END HIDDEN TESTS
