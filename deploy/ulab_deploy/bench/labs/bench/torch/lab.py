# %% nbgrader={"grade_id": "given", "locked": true}
import torch
import torchvision
from torch import nn

torch.manual_seed(0)
x = torch.randn(256, 20)
y = (x[:, 0] > 0).long()


# %% nbgrader={"grade_id": "network", "solution": true}
def network():
    ### BEGIN SOLUTION
    return nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 2))
    ### END SOLUTION


# %% nbgrader={"grade_id": "train", "solution": true}
def train(model, x, y, steps):
    ### BEGIN SOLUTION
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step()
    return float(loss.detach())
    ### END SOLUTION


model = network()
first = train(model, x, y, 1)
last = train(model, x, y, 60)

# %% nbgrader={"grade_id": "network-test", "grade": true, "points": 2}
assert isinstance(model, nn.Module)
assert model(torch.zeros(3, 20)).shape == (3, 2)

# %% nbgrader={"grade_id": "train-test", "grade": true, "points": 3}
assert last < first
### BEGIN HIDDEN TESTS
assert (model(x).argmax(dim=1) == y).float().mean() > 0.9
### END HIDDEN TESTS
