"""The compiler pipeline that promises LLVM that the arrays of one call do not overlap.

``noalias`` is a flag of Numba's compiler that has no public switch. It is worth up to 2x here, because the driver hands
addresses over and LLVM would otherwise test for overlap, or not vectorise at all. The engine allocates every array
that a kernel gets, so the promise holds. `tests/test_jit.py` fails if a new Numba ignores the flag.
"""

from __future__ import annotations

from numba.core.compiler import Compiler


class NoAlias(Compiler):  # type: ignore[misc]
    """Numba's default pipeline with array arguments marked ``noalias``."""

    def define_pipelines(self):  # type: ignore[no-untyped-def]
        """Set the flag, then build the default passes."""
        self.state.flags.noalias = True
        return super().define_pipelines()
