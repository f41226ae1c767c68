"""teachbox: the application. Imports agents and envs."""

import os

# Before NumPy is imported: its matrix products here are small, and on a busy machine a second thread
# that spins while it waits makes them fifty times slower.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
