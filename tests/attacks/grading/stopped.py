# ---
# tries: its own process stopped, so that it never answers and never ends
# kind: cheat
# score: {total-test: 0}
# others: any
# ---

# %% total
import os
import signal


def total(values):
    os.kill(os.getpid(), signal.SIGSTOP)
    return 0
