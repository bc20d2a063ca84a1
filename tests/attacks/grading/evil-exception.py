# ---
# tries: an exception whose text and class do harm when they are shown
# kind: cheat
# score: {total-test: 0}
# ---

# %% total
class Evil(Exception):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__

    @property
    def __traceback__(self):
        raise SystemExit(0)


Evil.__name__ = "Passed\x00\x1b[2J<script>alert(1)</script>" + "x" * 10_000


def total(values):
    raise Evil("\ud800" * 10)
