# ---
# tries: a step that leaves the weights as they were
# lab: network
# kind: honest
# score: {step-test: 0}
# ---

# %% step
def step(weights, gradient, rate):
    weights = weights - rate * gradient
    return weights
