# ---
# tries: an answer with half characters and NUL in it
# kind: accident
# score: {words-test: 0}
# ---

# %% words
def words(text):
    return {"\ud800": 1, "a\x00b": 2}
