"""What a Jupyter server counts for its page of metrics."""

from prometheus_client import Counter

KERNEL_STARTS = Counter(
    "ulab_kernel_starts", "Kernels started, warm or cold, and why cold.", ["way", "reason"]
)
