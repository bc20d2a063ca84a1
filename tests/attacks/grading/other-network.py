# ---
# tries: right answers with library layers, functions and in-place methods
# lab: network
# kind: honest
# score: {}
# ---

# %% network
import torch.nn.functional as F


class Network(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(4, 2), nn.Softmax(dim=1))

    @property
    def linear(self):
        return self[0]

# %% loss
def loss(probabilities, labels):
    return F.nll_loss(probabilities.log(), labels)

# %% step
@torch.no_grad()
def step(weights, gradient, rate):
    weights.sub_(gradient, alpha=rate)
