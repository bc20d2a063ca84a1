# ---
# tries: all the memory there is, before any test
# kind: accident
# score: {total-test: 0}
# others: any
# stock: it would take the machine
# ---

# %% free
kept = []
while True:
    kept.append(bytearray(b"x") * (1 << 26))

# %% total
def total(values):
    return 0
