# %% nbgrader={"grade_id": "imports", "locked": true}
import torch
from torch import nn

# %% nbgrader={"grade_id": "network", "solution": true}
class Network(nn.Module):
    """From 4 numbers to 2 probabilities; `linear` is its only layer."""

    ### BEGIN SOLUTION
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return torch.softmax(self.linear(x), dim=1)
    ### END SOLUTION


# %% nbgrader={"grade_id": "network-test", "grade": true, "points": 2}
network = Network()
assert isinstance(network, nn.Module)
### BEGIN HIDDEN TESTS
x = torch.tensor([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
out = network(x)
assert out.shape == (3, 2)
expected = torch.softmax(x @ network.linear.weight.T + network.linear.bias, dim=1)
torch.testing.assert_close(out, expected)
torch.testing.assert_close(out.sum(dim=1), torch.ones(3))
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "loss", "solution": true}
def loss(probabilities, labels):
    """The mean of minus the logarithm of the probability that the right answer got."""
    ### BEGIN SOLUTION
    return -torch.log(probabilities[torch.arange(len(labels)), labels]).mean()
    ### END SOLUTION


# %% nbgrader={"grade_id": "loss-test", "grade": true, "points": 2}
answer = loss(torch.tensor([[0.25, 0.75], [0.5, 0.5]]), torch.tensor([1, 0]))
torch.testing.assert_close(answer, torch.tensor(0.4904146))
### BEGIN HIDDEN TESTS
answer = loss(torch.tensor([[0.25, 0.75], [0.125, 0.875]]), torch.tensor([0, 0]))
assert torch.isclose(answer, torch.tensor(1.7328680))
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "step", "solution": true}
def step(weights, gradient, rate):
    """Take one step downhill, in place."""
    ### BEGIN SOLUTION
    weights -= rate * gradient
    ### END SOLUTION


# %% nbgrader={"grade_id": "step-test", "grade": true, "points": 2}
weights = torch.tensor([1.0, 2.0])
step(weights, torch.tensor([1.0, -1.0]), 0.5)
torch.testing.assert_close(weights, torch.tensor([0.5, 2.5]))
### BEGIN HIDDEN TESTS
step(weights, torch.tensor([2.0, 2.0]), 0.25)
torch.testing.assert_close(weights, torch.tensor([0.0, 2.0]))
### END HIDDEN TESTS
