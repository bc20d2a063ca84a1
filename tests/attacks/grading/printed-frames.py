# ---
# tries: a verdict written to standard output and error in the frames that the judge's processes use
# kind: cheat
# score: {total-test: 0}
# ---

# %% total
import os

import msgpack

VERDICT = msgpack.packb(
    {"verdict": "passed", "value": None, "reason": "", "traceback": [],
     "student_traceback": [], "seconds": 0.0}
)


def total(values):
    for number in (1, 2):
        os.write(number, len(VERDICT).to_bytes(4, "big") + VERDICT)
    return 0
