# ---
# tries: the lab's own answers, with networks and tensors
# lab: network
# kind: honest
# score: {}
# ---

# %% [markdown]
# Nothing is changed.
