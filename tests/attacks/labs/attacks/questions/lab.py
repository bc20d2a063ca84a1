# %% nbgrader={"grade_id": "imports", "locked": true}
import numpy as np

# %% nbgrader={"grade_id": "data", "locked": true}
x_test = np.array([0.2, 0.9, 0.4, 0.7])
y_test = np.array([0, 1, 0, 1])


def accuracy(predicted, expected):
    """The share of answers that are right."""
    return float(np.mean(np.asarray(predicted) == expected))


# %% nbgrader={"grade_id": "total", "solution": true}
def total(values):
    """The sum of the squares."""
    ### BEGIN SOLUTION
    return sum(value * value for value in values)
    ### END SOLUTION


# %% nbgrader={"grade_id": "total-test", "grade": true, "points": 2}
assert abs(total([1, 2]) - 5) < 1e-9
### BEGIN HIDDEN TESTS
assert total([3, 4, 5]) == 50
assert total([]) == 0
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "tally", "solution": true}
class Tally:
    """Counts words: `add(word)`, `count(word)`, and `size`, how many different ones there are."""

    ### BEGIN SOLUTION
    def __init__(self):
        self.counts = {}

    def add(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1

    def count(self, word):
        return self.counts.get(word, 0)

    @property
    def size(self):
        return len(self.counts)
    ### END SOLUTION


# %% nbgrader={"grade_id": "tally-test", "grade": true, "points": 2}
tally = Tally()
tally.add("sun")
assert tally.count("sun") == 1
### BEGIN HIDDEN TESTS
for word in ("sun", "moon", "sun"):
    tally.add(word)
assert (tally.count("sun"), tally.count("moon"), tally.count("star")) == (3, 1, 0)
assert tally.size == 2
assert Tally().size == 0
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "scale", "solution": true}
def scale(x):
    """The array with mean 0 and standard deviation 1; `x` itself stays as it is."""
    ### BEGIN SOLUTION
    return (x - x.mean()) / x.std()
    ### END SOLUTION


# %% nbgrader={"grade_id": "scale-test", "grade": true, "points": 2}
given = np.array([2.0, 4.0])
scaled = scale(given)
assert len(scaled) == 2
assert np.allclose(scaled, [-1, 1])
### BEGIN HIDDEN TESTS
assert given[0] == 2.0
np.testing.assert_allclose(scale(np.array([1.0, 2.0, 3.0])), [-1.5**0.5, 0, 1.5**0.5])
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "classify", "solution": true}
def classify(x):
    """1 for what is above a half, else 0."""
    ### BEGIN SOLUTION
    return (x > 0.5).astype(int)
    ### END SOLUTION


# %% nbgrader={"grade_id": "classify-test", "grade": true, "points": 4}
right = accuracy(classify(x_test), y_test)
### BEGIN HIDDEN TESTS
x_unseen = np.array([0.6, 0.1, 0.55, 0.45])
y_unseen = np.array([1, 0, 1, 0])
right = min(right, accuracy(classify(x_unseen), y_unseen))
### END HIDDEN TESTS
4 * right

# %% nbgrader={"grade_id": "words", "solution": true}
def words(text):
    """How often each word occurs."""
    ### BEGIN SOLUTION
    return {word: text.split().count(word) for word in text.split()}
    ### END SOLUTION


# %% nbgrader={"grade_id": "words-test", "grade": true, "points": 2}
assert words("a b a") == {"a": 2, "b": 1}
### BEGIN HIDDEN TESTS
assert words("") == {}
assert words("to be or not to be") == {"to": 2, "be": 2, "or": 1, "not": 1}
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "evens", "solution": true}
def evens(limit):
    """The even numbers below `limit`, in order: anything that can be gone through."""
    ### BEGIN SOLUTION
    return range(0, limit, 2)
    ### END SOLUTION


# %% nbgrader={"grade_id": "evens-test", "grade": true, "points": 2}
assert list(evens(5)) == [0, 2, 4]
### BEGIN HIDDEN TESTS
assert list(evens(0)) == []
assert [int(number) for number in evens(8)] == [0, 2, 4, 6]
### END HIDDEN TESTS
