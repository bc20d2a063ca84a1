# ---
# tries: 20 MB printed while it is called; the answer is right
# kind: accident
# score: {}
# ---

# %% total
def total(values):
    for _ in range(20):
        print("x" * (1 << 20))
    return sum(value * value for value in values)
