# ---
# tries: one honest wrong answer among right ones
# kind: honest
# score: {total-test: 0}
# ---

# %% total
def total(values):
    return sum(values) ** 2
