# ---
# tries: warnings and log lines on the error output; the answers are right
# kind: honest
# score: {}
# ---

# %% total
import logging
import sys
import warnings


def total(values):
    warnings.warn("a deprecation, say")
    logging.getLogger("mine").error("a line of a log")
    print("on the error output", file=sys.stderr)
    return sum(value * value for value in values)
