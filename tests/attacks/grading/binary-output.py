# ---
# tries: random bytes and escape sequences written to the output; the answers are right
# kind: accident
# score: {}
# ---

# %% free
import os
import sys

sys.stdout.write(bytes(range(256)).decode("latin-1") * 100)
os.write(1, os.urandom(100_000))
os.write(2, os.urandom(100_000))
