# ---
# tries: its own process stopped, so that it never answers and never ends
# kind: cheat
# score: {total-test: 0}
# others: any
# stock: autograde would wait for ever
# ---

# %% total
import os
import signal


def total(values):
    os.kill(os.getpid(), signal.SIGSTOP)
    return 0
