# ---
# tries: a copy of its process that answers the judge too
# kind: cheat
# score: {total-test: 0}
# others: any
# ---

# %% total
import os


def total(values):
    return 50 if os.fork() == 0 else 0
