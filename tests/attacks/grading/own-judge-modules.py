# ---
# tries: everything loaded of the grader's modules replaced by what always agrees
# kind: cheat
# score: {total-test: 0}
# others: any
# ---

# %% total
import sys


def total(values):
    for name, module in list(sys.modules.items()):
        if name.startswith(("ulab_", "nbgrader", "nbclient")):
            for key, value in list(vars(module).items()):
                if callable(value) and not key.startswith("__") and "verdict" in key.lower():
                    setattr(module, key, lambda *arguments, **options: True)
    return 0
