"""The suite that asv runs over commits; see ../README.md.

Compiled kernels of every commit go to a folder of their own: Numba's cache looks at one file only and could run code of
another commit. asv sets these variables for every benchmark process, and values in asv.conf.json know no commit.
"""

import os
from pathlib import Path

if "ASV_ENV_DIR" in os.environ and "ASV_COMMIT" in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(Path(os.environ["ASV_ENV_DIR"], "numba-cache", os.environ["ASV_COMMIT"]))
    os.environ.pop("OPTBENCH_CACHE_DIR", None)  # would take precedence

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # before NumPy: one thread, as in optbench's timed runs
    os.environ.setdefault(_name, "1")
