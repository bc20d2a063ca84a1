# ---
# tries: every descriptor closed, so that nobody can ask it anything
# kind: cheat
# score: {total-test: 0}
# others: any
# ---

# %% total
import os


def total(values):
    os.closerange(3, 1024)
    return 0
