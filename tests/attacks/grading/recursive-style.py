# ---
# tries: right answers with recursion, default arguments, lambdas and closures
# kind: honest
# score: {}
# ---

# %% total
def total(values, so_far=0):
    return so_far if not len(values) else total(values[1:], so_far + values[0] ** 2)

# %% words
def counting():
    def add(found, rest):
        return add(found | {rest[0]: found.get(rest[0], 0) + 1}, rest[1:]) if rest else found

    return lambda text: add({}, text.split())


words = counting()

# %% classify
import functools

classify = functools.partial(lambda bound, x: np.where(x > bound, 1, 0), 0.5)

# %% tally
import collections
import dataclasses
import functools


@dataclasses.dataclass
class Tally:
    heard: list = dataclasses.field(default_factory=list)

    def add(self, word):
        self.heard.append(word)

    def count(self, word):
        return self.heard.count(word)

    @functools.cached_property
    def _kinds(self):
        return collections.namedtuple("Kinds", "words")(set())

    @property
    def size(self):
        return len(set(self.heard))
