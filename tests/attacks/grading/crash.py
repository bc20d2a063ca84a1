# ---
# tries: a segmentation fault
# kind: accident
# score: {total-test: 0}
# others: any
# ---

# %% total
import ctypes


def total(values):
    ctypes.string_at(0)
