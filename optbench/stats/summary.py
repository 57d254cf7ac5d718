"""What came of every cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from optbench.outcome import STATUSES
from optbench.stats.cells import Cells, factors_of, labels, need
from optbench.stats.costs import Loss, On, costs, final, shown, spent, target_text
from optbench.stats.samples import median_interval, quartiles, success_interval
from optbench.types import Array

if TYPE_CHECKING:
    import pandas as pd


def summary(runs: pd.DataFrame, hits: pd.DataFrame, targets: Iterable[float] | None = None) -> pd.DataFrame:
    """Table of what came of every cell: one row for each problem, optimizer, schedule (clip and batch where they vary).

    Parameters
    ----------
    runs, hits : DataFrame
        Of a results file; `runs` may be a part of it.
    targets : iterable of float, optional
        Default: those of 1e-1, 1e-3, 1e-6, 1e-8 that were recorded, or all that were.

    Returns
    -------
    DataFrame
        Labels; ``runs``; a count for every status. For every target t

        - ``success t``, share of runs that met it, and its Wilson interval ``success_low t, success_high t``;
        - ``iterations t``, ``seconds t``, ``evaluations t``, ``epochs t``, medians in which a run that never met it
          is infinite; for iterations also the quartiles ``iterations_q25 t, iterations_q75 t`` and the bootstrap
          interval ``iterations_low t, iterations_high t`` of the median (see `median_interval`), both at 95 %;
        - ``ert_iterations t`` and likewise for seconds, evaluations and epochs: the expected running time [1]_, what
          all runs spent until they met the target or ended, over the number of runs that met it.

        ``wall_seconds``, median time of a run; ``compile_seconds``, sum; ``gap``, median of f - f_opt at the end
        (infinite where a run ended without a finite f); ``fun``, ``val_loss``, ``val_accuracy`` at the end, medians,
        with ``_q25`` and ``_q75``. NaN is what is not known.

    Raises
    ------
    ValueError
        No runs, or a target that was not recorded.

    References
    ----------
    .. [1] Hansen, Auger, Ros, Mersmann, Tusar and Brockhoff, "COCO: a platform for comparing continuous optimizers in
       a black-box setting", Optim. Methods Softw. 36 (2021) 114-144, section on runtime aggregation.
    """
    import pandas as pd

    need(runs, "summarize")
    table = labels(runs)
    cells = Cells([table[name] for name in factors_of(table)])
    columns: dict[str, Any] = {"runs": cells.size.to_numpy()}
    for status in STATUSES:
        columns[status] = cells.total(runs["status"] == status).astype(np.int64)
    for target in shown(hits, targets):
        columns |= _to_target(runs, hits, target, cells)
    columns["wall_seconds"] = runs["wall_median"].groupby(cells.cell).median().to_numpy()
    columns["compile_seconds"] = cells.total(runs["compile_seconds"])
    columns["gap"] = _middle(cells, final(runs) - runs["f_opt"])
    for name in get_args(Loss):
        columns |= _spread(cells, name, "", final(runs, name))
    return pd.DataFrame(columns, index=cells.size.index).reset_index()


def _to_target(runs: pd.DataFrame, hits: pd.DataFrame, target: float, cells: Cells) -> dict[str, Array]:
    """Columns of one target."""
    text, iterations = f" {target_text(target)}", costs(runs, hits, target)
    met = cells.total((iterations < np.inf).astype("float64").where(iterations.notna()))
    columns = {f"success{text}": met / cells.size.to_numpy()} | _spread(cells, "iterations", text, iterations)
    rates, limits = success_interval(met, cells.size), cells.apply(median_interval, iterations, 2)
    for k, name in enumerate(("low", "high")):
        columns |= {f"success_{name}{text}": rates[k], f"iterations_{name}{text}": limits[k]}
    for on in get_args(On):
        if on != "iterations":
            columns[on + text] = _middle(cells, costs(runs, hits, target, on))
        used = cells.total(spent(runs, hits, target, on))
        with np.errstate(divide="ignore", invalid="ignore"):
            columns[f"ert_{on}{text}"] = np.where(met == 0, np.inf, used / met)
    return columns


def _spread(cells: Cells, name: str, text: str, values: pd.Series[float]) -> dict[str, Array]:
    low, middle, high = cells.apply(quartiles, values, 3)
    return {name + text: middle, f"{name}_q25{text}": low, f"{name}_q75{text}": high}


def _middle(cells: Cells, values: pd.Series[float]) -> Array:
    middle: Array = cells.apply(quartiles, values, 3)[1]
    return middle
