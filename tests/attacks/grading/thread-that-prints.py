# ---
# tries: a thread that prints and raises for ever; the answers are right
# kind: accident
# score: {}
# ---

# %% free
import threading
import time


def go_on():
    for number in range(600):
        print("still here", number)
        time.sleep(0.01)
    raise RuntimeError("late")


threading.Thread(target=go_on, daemon=True).start()
