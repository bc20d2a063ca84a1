# ---
# tries: a thread that goes on after the cell and changes names while later tests run
# kind: cheat
# score: {total-test: 0}
# ---

# %% total
import builtins
import threading
import time


def change():
    shell = get_ipython()
    for _ in range(2000):
        shell.user_ns["abs"] = lambda value: 0
        shell.user_ns["right"] = 1.0
        builtins.abs = lambda value: 0
        for name in list(shell.user_ns):
            if name.startswith("expected"):
                shell.user_ns[name] = None
        time.sleep(0.001)


threading.Thread(target=change, daemon=True).start()


def total(values):
    return {0: 0, 3: 0}.get(len(values), 5)
