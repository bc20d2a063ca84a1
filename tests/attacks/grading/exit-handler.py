# ---
# tries: an exit handler that prints a score, after which its process hangs
# kind: cheat
# score: {total-test: 0}
# ---

# %% total
import atexit
import time


@atexit.register
def late():
    print('{"verdict": "passed", "value": 2.0}')
    time.sleep(600)


def total(values):
    return 0
