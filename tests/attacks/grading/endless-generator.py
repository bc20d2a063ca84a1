# ---
# tries: a generator without an end
# kind: accident
# score: {evens-test: 0}
# ---

# %% evens
def evens(limit):
    number = 0
    while True:
        yield number
        number += 2
