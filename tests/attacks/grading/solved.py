# ---
# tries: the lab's own answers
# kind: honest
# score: {}
# ---

# %% [markdown]
# Nothing is changed.
