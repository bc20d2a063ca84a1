"""What a mutation may change into what, and what it leaves alone because no test could tell."""

from __future__ import annotations

import ast
import re

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip

ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,), ast.Div: (ast.Mult,), ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,), ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.BitXor: (ast.BitOr,),
}  # fmt: skip
# Operators whose two sides are also swapped.
TURNED = (ast.Sub, ast.Div, ast.FloorDiv, ast.MatMult)

_PAIRS = [
    ("mean", "sum"), ("max", "min"), ("argmax", "argmin"), ("amax", "amin"), ("all", "any"),
    ("std", "var"), ("floor", "ceil"), ("maximum", "minimum"), ("zeros", "ones"),
    ("zeros_like", "ones_like"), ("ffill", "bfill"), ("train", "eval"), ("head", "tail"),
    ("softmax", "log_softmax"), ("isna", "notna"), ("hstack", "vstack"), ("idxmax", "idxmin"),
    ("rand", "randn"), ("iloc", "loc"), ("cumsum", "cumprod"),
]  # fmt: skip
SWAPPED: dict[str, tuple[str, ...]] = {
    **{one: (other,) for one, other in _PAIRS},
    **{other: (one,) for one, other in _PAIRS},
    "median": ("mean",), "nanmean": ("mean",), "nanmedian": ("median",), "nanstd": ("std",),
    "filtfilt": ("lfilter",), "sosfiltfilt": ("sosfilt",), "stack": ("cat",),
    "searchsorted": (), "round": ("floor",),
}  # fmt: skip

# Calls that a student may forget: `x.copy()` and `np.sqrt(x)` become `x`.
BARE = frozenset({
    "abs", "absolute", "asfreq", "ceil", "clamp", "clip", "clone", "copy", "cumsum", "deepcopy",
    "detach", "diff", "dropna", "exp", "expm1", "ffill", "fillna", "floor", "log", "log10",
    "log1p", "log2", "log_softmax", "logcumsumexp", "normalize", "relu", "reset_index",
    "reversed", "round", "shift", "sigmoid", "softmax", "sort", "sort_index", "sort_values",
    "sorted", "sqrt", "square", "tanh", "unique",
})  # fmt: skip
OVER_AN_AXIS = frozenset({
    "all", "any", "argmax", "argmin", "cumsum", "log_softmax", "max", "mean", "median", "min",
    "prod", "softmax", "std", "sum", "var",
})  # fmt: skip
AXES = frozenset({"axis", "dim"})
MODULES = frozenset({"F", "math", "np", "numpy", "pd", "scipy", "torch"})

# Nothing below can be told from the reference, so no test is asked to.
# A line that the lab's author marked, and why.
FREE = re.compile(r"#\s*free choice\b(?::\s*(?P<why>\S.*))?")
# What takes the sign away, so that a difference may as well be turned round.
ABSOLUTE = frozenset({"abs", "absolute", "square", "mse_loss", "l1_loss"})
# Functions that give the same with their first two arguments swapped, or refuse that at once.
SYMMETRIC = frozenset({
    "add", "allclose", "array_equal", "gcd", "hypot", "isclose", "isinstance", "logaddexp", "max",
    "maximum", "min", "minimum", "multiply", "union1d", "intersect1d", "getattr", "hasattr",
    "make_column_transformer", "make_union", "mse_loss", "l1_loss",
})  # fmt: skip
# What is only shown.
SHOWING = frozenset({"display", "print", "say", "show", "warn"})
SHOWING_OBJECTS = frozenset({"ax", "axes", "axis", "fig", "figure", "plt"})
# Keywords whose value is a matter of taste, of luck, or of the machine: another is as right.
NO_SLIP = frozenset({
    # settings of a training
    "alpha", "batch_size", "C", "epochs", "gamma", "hidden", "hidden_layer_sizes", "l2",
    "l2_regularization", "learning_rate", "lr", "max_depth", "max_features", "max_iter", "max_lr",
    "max_leaf_nodes", "maxiter", "min_samples_leaf", "momentum", "n_estimators", "patience",
    "solver", "tol", "weight_decay",
    # seeds
    "random_state", "seed",
    # the machine
    "device", "n_jobs", "non_blocking", "num_workers", "pin_memory", "verbose",
    # pictures
    "color", "figsize", "label", "title",
})  # fmt: skip
SEEDED = frozenset({"default_rng", "manual_seed", "seed"})
# Smaller numbers guard against dividing by zero.
SMALLEST = 1e-5
