# ---
# tries: a function that never ends
# kind: accident
# score: {total-test: 0}
# ---

# %% total
def total(values):
    while True:
        pass
