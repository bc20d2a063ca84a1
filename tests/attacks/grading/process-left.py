# ---
# tries: a process of a session of its own that outlives the grading
# kind: cheat
# score: {total-test: 0}
# ---

# %% total
import subprocess
import sys

subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)", "left-by-an-attempt"],
    start_new_session=True,
    stdin=subprocess.DEVNULL,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)


def total(values):
    return 0
