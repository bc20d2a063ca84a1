"""How many threads numerical libraries use: said by variables that they read when imported."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
NONE_IN_THE_PARENT = {
    # OpenBLAS and Arrow's allocator start theirs when imported, and a child would lack them.
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
