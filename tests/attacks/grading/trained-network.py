# ---
# tries: a network trained in a cell of its own, with a progress line on the error output
# lab: network
# kind: honest
# score: {}
# ---

# %% step
import sys


def step(weights, gradient, rate):
    print("step", file=sys.stderr)
    weights.add_(gradient * -rate)

# %% free
model = Network()
optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(5):
    optimiser.zero_grad()
    loss(model(torch.rand(8, 4)), torch.randint(2, (8,))).backward()
    optimiser.step()
    print("epoch", epoch, file=sys.stderr)
