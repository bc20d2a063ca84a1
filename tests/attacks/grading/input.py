# ---
# tries: a question to the keyboard, which nobody answers
# kind: accident
# score: {total-test: 0}
# ---

# %% total
def total(values):
    return int(input("total: "))
