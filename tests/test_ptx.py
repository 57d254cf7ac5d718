"""The device code compiles: to PTX, without a GPU. The simulator takes Python that the compiler does not."""

from __future__ import annotations

import importlib.metadata
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cuda_contract import FIRST_ORDER, usable

import optbench
from optbench.devices import simulated
from optbench.evaluation import sum_of_squares
from optbench.harness import method_of
from optbench.records import fields
from optbench.single import make_run
from optbench.types import Problem

NEEDED = {"numba-cuda", "nvidia-nvvm", "nvidia-cuda-nvrtc"}
MISSING = NEEDED - {str(found.name).lower() for found in importlib.metadata.distributions()}

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(simulated(), reason="the simulator compiles nothing"),
    pytest.mark.skipif(bool(MISSING), reason="NVVM and NVRTC are not installed: pip install 'optbench[ptx]'"),
    # Numba's own: a kernel of one block hides the device's latency; nothing is run here.
    pytest.mark.filterwarnings("ignore::Warning"),
]
CAPABILITY = (9, 0)


@pytest.fixture(autouse=True)
def a_device_to_compile_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Device functions are compiled for the device that is there: say which."""
    from numba.cuda import dispatcher

    monkeypatch.setattr(dispatcher, "get_current_device", lambda: SimpleNamespace(compute_capability=CAPABILITY))


def ptx(kernel: Any, types: tuple[Any, ...]) -> str:
    """PTX of a kernel."""
    from numba import cuda

    code, _ = cuda.compile(kernel.py_func, types, cc=CAPABILITY, device=False, abi="numba")
    return str(code)


def of_kernel(problem: Problem, optimizer: str, real: type = np.float64, whole: bool = False, **options: Any) -> str:
    """PTX of the kernel of such runs."""
    from numba import typeof

    from optbench.cuda import members
    from optbench.cuda import whole as together
    from optbench.cuda.world import make_world

    method = method_of(make_run(problem, optimizer=optimizer, max_iter=10, **options), problem)
    starts, rates = np.tile(problem.x0, (3, 1)), np.full(3, 0.1)
    world = make_world(problem, method, (starts, rates, np.zeros((3, 2)), np.zeros(3, dtype=np.int64)), 4, real)
    make = together.make_kernel if whole else members.make_kernel
    return ptx(make(problem, method, True, real), tuple(typeof(argument) for argument in (world, 0, 1)))


@pytest.mark.parametrize("problem", [name for name in optbench.list_problems() if not name.startswith("hs")])
def test_objectives(problem: str) -> None:
    from numba import cuda, typeof, types

    from optbench.cuda.lowering import lower, numbers

    made = optbench.get_problem(problem)
    if not usable(problem):
        pytest.skip("it stays on the CPU")
    vector, matrix = (types.Array(types.float64, rank, "A") for rank in (1, 2))
    data = numbers(made.data, np.float64)
    parts = zip(fields(made.record), data, strict=True)
    record = types.BaseTuple.from_types(
        [vector if field.kind == "scratch" else typeof(item) for field, item in parts], made.record
    )
    out = types.Array(types.float64, 1, "C")
    if made.fun_grad is not None:
        objective = lower(made.fun_grad, np.float64)

        def kernel(x: Any, g: Any, data: Any, out: Any) -> None:
            out[0] = objective(x, g, data)

        code = ptx(cuda.jit(kernel), (vector, vector, record, out))
    else:
        assert made.residuals is not None
        residuals, sums = lower(made.residuals, np.float64), lower(sum_of_squares, np.float64)

        def squares(x: Any, g: Any, data: Any, out: Any, r: Any, jac: Any) -> None:
            residuals(x, r, jac, data)
            out[0] = sums(r, jac, g)

        code = ptx(cuda.jit(squares), (vector, vector, record, out, vector, matrix))
    assert ".entry" in code


@pytest.mark.parametrize("optimizer", FIRST_ORDER)
def test_optimizers_keep_a_small_problem_in_registers(optimizer: str) -> None:
    code = of_kernel(optbench.get_problem("rosenbrock"), optimizer)
    assert ".entry" in code
    assert "ld.local" not in code
    assert "st.local" not in code


@pytest.mark.parametrize("schedule", optbench.list_schedules())
def test_schedules(schedule: str) -> None:
    from numba import typeof

    from optbench.cuda.driver import make_fill
    from optbench.cuda.lowering import numbers

    problem = optbench.get_problem("sphere")
    needed: dict[str, dict[str, Any]] = {"multistep": {"milestones": [3]}, "step": {"step_size": 2}}
    settings = needed.get(schedule, {})
    method = method_of(make_run(problem, schedule={"name": schedule, **settings}, max_iter=10), problem)
    if method.schedule.observes:
        assert ".entry" in of_kernel(problem, "gd", schedule=schedule)
        return
    table, numbers_of = np.zeros((4, 2)), numbers(method.schedule_params, np.float64)
    arguments = (table, 0, 4, np.zeros(2), np.zeros(2), 3, 0.5, numbers_of)
    assert ".entry" in ptx(make_fill(method.schedule), tuple(typeof(argument) for argument in arguments))


@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_float32_is_computed_in_float32(real: type) -> None:
    code = of_kernel(optbench.get_problem("rosenbrock"), "adam", real)
    own, other = ("sqrt.rn.f32", "sqrt.rn.f64") if real is np.float32 else ("sqrt.rn.f64", "sqrt.rn.f32")
    assert code.count(own) > code.count(other)


@pytest.mark.parametrize("clip", [{"norm": 1.0}, {"value": 1.0}], ids=str)
def test_mini_batches_and_clipping(clip: dict[str, float]) -> None:
    problem = optbench.get_problem("logistic_regression")
    order = "shuffle" if "norm" in clip else "sequential"
    assert ".entry" in of_kernel(problem, "lamb", clip=clip, batch_size=32, order=order)


@pytest.mark.parametrize("optimizer", ["adam", "lamb"])
def test_large_problems(optimizer: str) -> None:
    problem = optbench.get_problem("rosenbrock", n=1000)
    assert "cudaCGSynchronize" in of_kernel(problem, optimizer, whole=True, clip={"norm": 1.0})
