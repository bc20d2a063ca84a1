# ---
# tries: a cell of its own with a helper, below the answer that uses it
# kind: honest
# score: {}
# ---

# %% total
def total(values):
    return sum(square(value) for value in values)

# %% free
def square(value):
    return value**2
