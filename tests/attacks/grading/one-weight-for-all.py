# ---
# tries: a network that says one half to everything
# lab: network
# kind: honest
# score: {network-test: 0}
# ---

# %% network
class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return torch.full((len(x), 2), 0.5)
