"""Side-by-side measurements: `python -m benchmarks`. The library imports nothing of it; nothing asserts a time."""

import os

# One thread for everybody. The numerical libraries read these once, when they are first imported, so this comes first.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
