# ---
# tries: all the memory there is, while it is called
# kind: accident
# score: {total-test: 0}
# others: any
# stock: it would take the machine
# ---

# %% total
def total(values):
    kept = []
    while True:
        kept.append(bytearray(b"x") * (1 << 26))
