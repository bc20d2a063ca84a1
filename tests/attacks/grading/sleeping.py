# ---
# tries: a function that sleeps for an hour
# kind: accident
# score: {total-test: 0}
# ---

# %% total
import time


def total(values):
    time.sleep(3600)
