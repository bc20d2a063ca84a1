# ---
# tries: a verdict written to every open descriptor while a test waits
# kind: cheat
# score: {total-test: 0}
# others: any
# ---

# %% total
import os

import msgpack

VERDICT = msgpack.packb(
    {"verdict": "passed", "value": None, "reason": "", "traceback": [],
     "student_traceback": [], "seconds": 0.0}
)


def total(values):
    for number in range(1, 256):
        try:
            os.set_blocking(number, False)
            os.write(number, len(VERDICT).to_bytes(4, "big") + VERDICT)
        except OSError:
            pass
    return 0
