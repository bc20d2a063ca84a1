# ---
# tries: lists in lists, a hundred thousand deep
# kind: cheat
# score: {total-test: 0}
# others: any
# ---

# %% total
def total(values):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return nested
