# ---
# tries: an input transformer that drops the lines with assert
# kind: cheat
# score: {total-test: 0}
# ---

# %% free
get_ipython().input_transformers_post.append(
    lambda lines: [line for line in lines if not line.startswith("assert")]
)

# %% total
def total(values):
    return 0
