"""A real bench and real student processes: tests of a lab run through them as written."""
# ruff: noqa: E501  (a table of tests, each on a line)

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judge_support import RealBench, Sitting, running_bench, step

NOTEBOOK = """
import numpy as np
import torch
from torch import nn

class Shape:
    sides = 4
    def __init__(self, name): self.name = name
    def area(self, *, twice=False): return 8 if twice else 4
    def __len__(self): return 3
    def __getitem__(self, place): return [10, 20, 30][place]
    def __enter__(self): return self
    def __exit__(self, *error): return False
    def __add__(self, other): return 100 + other
    def __eq__(self, other): return True
    __hash__ = None

class Wrong(ValueError):
    pass

class Zero(float):
    def __sub__(self, other): return 0.0
def always_zero(): return Zero(1.0)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
    def forward(self, x): return self.layer(x)

def double(x): return x * 2
def grow(xs): xs.append(1); return xs
def zero(array): array[:] = 0
def fail(kind): raise kind("so wrong")
def wrong(): raise Wrong("own", 3)
def say(): print("hello"); return None
def count(n):
    for i in range(n): yield i
def train_step(model, optimizer, x, y):
    optimizer.zero_grad(); loss = ((model(x) - y) ** 2).mean(); loss.backward(); optimizer.step()
    return loss.item()
def apply(f, x): return f(x)
def default(a, b=3, *more, key=None): return a
always = Shape("always")
"""

GIVEN = (
    "import io, numpy as np, torch, ulab, pandas as pd, pytest, contextlib\nfrom torch import nn"
)

# question, the test's source, the names it asks of the student, verdict, part of the reason
CASES = [
    ("plain", "assert double(4) == 8", "double", "passed", ""),
    ("array", "np.testing.assert_array_equal(double(np.arange(3)), [0, 2, 4])", "double", "passed", ""),
    ("tensor", "torch.testing.assert_close(double(torch.ones(2)), torch.full((2,), 2.))", "double", "passed", ""),
    ("failed", "assert double(4) == 9, 'twice four'", "double", "failed", "AssertionError: twice four"),
    ("same", "xs = []\nassert grow(xs) is xs and xs == [1]", "grow", "passed", ""),
    ("changed", "a = np.ones(3)\nzero(a)\nassert (a == 0).all()", "zero", "passed", ""),
    ("raises", "with pytest.raises(ValueError, match='so wrong'): fail(ValueError)", "fail", "passed", ""),
    ("exits", "with pytest.raises(Exception, match='so wrong'): fail(SystemExit)", "fail", "passed", ""),
    ("own error", "with pytest.raises(Wrong) as found: wrong()\nassert found.value.args == ('own', 3) and issubclass(Wrong, ValueError)", "wrong Wrong", "passed", ""),
    ("reason", "wrong()", "wrong", "failed", "Wrong: ('own', 3)"),
    ("object", "s = Shape('x')\nassert s.name == 'x' and s.area(twice=True) == 8 and len(s) == 3 and list(s) == [10, 20, 30]\nassert isinstance(s, Shape) and not isinstance(3, Shape)", "Shape", "passed", ""),
    ("set", "s = Shape('x')\ns.name = 'y'\nassert s.name == 'y' and 20 in s and s + 1 == 101", "Shape", "passed", ""),
    ("with", "with Shape('x') as s: assert s.name == 'x'", "Shape", "passed", ""),
    ("forged equality", "assert always == 3", "always", "failed", "AssertionError"),
    ("forged order", "always > 3", "always", "failed", "of the class Shape"),
    ("operators", "assert abs(always_zero() - 5) < 1e-9", "always_zero", "failed", "of the class Zero"),
    ("claimed type", "assert isinstance(always_zero(), float)", "always_zero", "failed", "AssertionError"),
    ("its own type", "assert type(always_zero()) is float", "always_zero", "failed", "AssertionError"),
    ("close", "np.testing.assert_allclose(always_zero(), 5.0)", "always_zero", "failed", ""),
    ("generator", "assert list(count(300)) == list(range(300))\nassert next(count(1)) == 0", "count", "passed", ""),
    ("module", "n = Net()\nassert isinstance(n, nn.Module) and n(torch.ones(3, 2)).shape == (3, 1)\nassert sum(p.numel() for p in n.parameters()) == 3 and any(isinstance(m, nn.Linear) for m in n.modules())", "Net", "passed", ""),
    ("printed", "out = io.StringIO()\nwith contextlib.redirect_stdout(out): say()\nassert out.getvalue() == 'hello\\n'", "say", "passed", ""),
    ("callback", "apply(lambda x: x, 3)", "apply", "undecided", "at_student"),
    ("caught callback", "try: apply(lambda x: x, 3)\nexcept Exception: pass", "apply", "undecided", "at_student"),
    ("library callback", "assert apply(np.sum, np.arange(4)) == 6", "apply", "passed", ""),
    ("helper", "@ulab.at_student\ndef _plus(x): return x + 1\nassert apply(_plus, 3) == 4 and _plus(4) == 5", "apply", "passed", ""),
    ("training", "@ulab.at_student\ndef _train():\n    torch.manual_seed(0)\n    m = Net(); o = torch.optim.SGD(m.parameters(), lr=0.1)\n    return [train_step(m, o, torch.ones(4, 2), torch.zeros(4, 1)) for _ in range(3)]\nlosses = _train()\nassert losses[2] < losses[0]", "", "passed", ""),
    ("helper class", "@ulab.at_student\nclass _Id(nn.Module):\n    def forward(self, x): return x\nassert apply(_Id(), torch.ones(1)) == 1", "apply", "passed", ""),
    ("partial", "0.5", "", "partial", ""),
    ("no points", "True", "", "passed", ""),
    ("unknown name", "nothing(3)", "nothing", "failed", "NameError"),
    ("signature", "import inspect\nassert list(inspect.signature(default).parameters) == ['a', 'b', 'more', 'key']", "default", "passed", ""),
    ("table", "t = pd.DataFrame({'a': [1.0, None], 'b': ['x', None]})\npd.testing.assert_frame_equal(double(t[['a']]), t[['a']] * 2)", "double", "passed", ""),
    ("earlier names", "assert t.shape == (2, 2)", "", "passed", ""),
    ("callable", "assert callable(double) and not callable(always) and double.__name__ == 'double'", "double always", "passed", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Iterator[RealBench]:
    with running_bench() as bench:
        steps = [
            step(question, source, asks.split(), [GIVEN] if place == 0 else [], ["__add__"])
            for place, (question, source, asks, _, _) in enumerate(CASES)
        ]
        assert bench.load(steps) == {"ready": True}
        yield bench


@pytest.fixture(scope="module")
def sitting(bench: RealBench) -> Iterator[Sitting]:
    with bench.sitting() as sitting:
        done = sitting.cell(NOTEBOOK)
        assert done["status"] == "ok", done
        yield sitting


@pytest.mark.parametrize(("question", "verdict", "reason"), [(c[0], c[3], c[4]) for c in CASES])
def test_a_test_gets_its_verdict(
    sitting: Sitting, question: str, verdict: str, reason: str
) -> None:
    said = sitting.test(question)
    assert said["verdict"] == verdict, said
    assert reason in said["reason"]
