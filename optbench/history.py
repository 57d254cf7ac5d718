"""Performance over commits: what asv has recorded, as a table, and where it changed for good.

asv's own reader and its step detection do the work, so that the verdict is the one of its web page; that page needs the
network, these tables do not. asv comes with the extra ``asv`` and is imported when the first folder is read.
"""

from __future__ import annotations

import itertools
import math
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FACTOR = 1.1  # by which a time or a memory must grow to count: that of ``asv compare``
SERIES = ["machine", "environment", "benchmark", "params"]  # what identifies one series of values
EXACT = "track"  # asv's type of what has no noise

_COLUMNS = [*SERIES, "type", "unit", "commit", "date", "value", "q25", "q75"]
_STEPS = [*SERIES, "type", "unit", "kind", "commit", "before", "after", "ratio", "last", "latest"]


def load_history(folder: str | os.PathLike[str], pattern: str = "") -> pd.DataFrame:
    """Read everything that asv has recorded in a folder of results.

    Parameters
    ----------
    folder : path-like
        ``results_dir`` of asv.conf.json: ``.asv/results``.
    pattern : str
        Regular expression; only benchmarks in whose name it is found.

    Returns
    -------
    DataFrame
        A row for every machine, environment, benchmark, combination of parameters (`params`, a tuple of texts) and
        commit, in the order of the commits' dates (`date`, milliseconds since 1970). `value` is in `unit` (seconds,
        bytes, or what a ``track_`` benchmark says); `q25` and `q75` are the quartiles of its samples, or the value. One
        that failed is infinite; one that was skipped is left out, as is what an older version of a benchmark measured.

    Raises
    ------
    ValueError
        asv is not installed; the folder does not exist, holds no results, or results of another format; the pattern
        is not one, or no benchmark has such a name.
    """
    import pandas as pd

    try:
        from asv import results, util
        from asv.benchmarks import Benchmarks
    except ImportError as error:
        raise ValueError("reading asv's results needs asv: pip install 'optbench[asv]'") from error
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"{root}: no such folder (asv writes its results to .asv/results)")
    index = root / "benchmarks.json"
    paths = [] if not index.is_file() else sorted(root.glob("*/*.json"))
    paths = [path for path in paths if path.name != "machine.json"]
    if not paths:
        raise ValueError(f"{root}: no results of asv (its results_dir holds benchmarks.json and a folder a machine)")
    try:
        benchmarks = util.load_json(str(index), Benchmarks.api_version)
        chosen = _chosen(benchmarks, pattern)
        loaded = [results.Results.load(str(path)) for path in paths]
        rows = [row for each in loaded for row in _rows(each, chosen)]
    except util.UserError as error:
        raise ValueError(str(error).strip()) from error
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{root}: not results of asv, or damaged ({type(error).__name__}: {error})") from error
    if not rows:
        raise ValueError(f"{root}: no benchmark has a result in its present version")
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return table.sort_values(["date", "commit"], kind="stable", ignore_index=True)


def _chosen(benchmarks: dict[str, Any], pattern: str) -> dict[str, Any]:
    """Benchmarks by name, those that the pattern asks for. Raises ValueError."""
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    known = {name: facts for name, facts in benchmarks.items() if isinstance(facts, dict)}
    chosen = {name: facts for name, facts in known.items() if wanted.search(name)}
    if not chosen:
        from optbench.registry import unknown

        raise unknown("benchmark", pattern, known)
    return chosen


def _rows(result: Any, benchmarks: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of one commit in one environment."""
    for name in sorted(result.get_result_keys(benchmarks)):
        facts, params = benchmarks[name], benchmarks[name]["params"]
        where = (result.params["machine"], result.env_name, name)
        values = result.get_result_value(name, params)
        every = result.get_result_stats(name, params) or itertools.repeat(None)
        for combination, value, stats in zip(itertools.product(*params), values, every, strict=False):
            if value is not None and math.isnan(value):  # does not apply
                continue
            middle = math.inf if value is None else float(value)
            spread = [(stats or {}).get(key) for key in ("q_25", "q_75")]
            low, high = (middle if each is None else float(each) for each in spread)
            texts = tuple(text.strip("'\"") for text in combination)
            what = (*where, texts, facts["type"], facts["unit"], result.commit_hash, result.date)
            yield (*what, middle, low, high)


def commits_of(table: pd.DataFrame) -> list[str]:
    """Hashes of all commits in order."""
    return list(dict.fromkeys(table["commit"]))


def changes_over(table: pd.DataFrame, factor: float = FACTOR) -> pd.DataFrame:
    """Find where values changed for good.

    A regression is a step up after which the series never comes back to what it was before; an improvement is a step
    down to below everything before. More is worse, as everywhere in asv. What a step is depends on the benchmark:

    - ``track_`` values have no noise: every difference from one commit to the next is a step.
    - Times and memory: the steps of the piecewise constant function that fits the series best in the sense of
      `asv.step_detect.detect_steps` (least absolute deviations; an information criterion sets the price of a step from
      the scatter), but not the return from a dip of a single commit. A change must exceed `factor`, and the quartiles
      of the samples before and after it must not overlap: a few commits do not show their own scatter.
    - A benchmark that had values and fails at its last commit is a regression to infinity.

    Parameters
    ----------
    table : DataFrame
        Of `load_history`, or a part of it.
    factor : float
        Smallest growth of a time or a memory that counts, at least 1.

    Returns
    -------
    DataFrame
        A row for every change: its series; `kind` ("regression", "improvement"); `commit`, the first with the new
        value; `last`, the commit measured before it; the values `before` and `after`; their `ratio`, infinite after 0;
        the `latest` value. The largest ratios first, regressions before improvements.

    Raises
    ------
    ValueError
        `factor` is below 1.
    """
    import pandas as pd

    if not factor >= 1:
        raise ValueError(f"factor is at least 1, not {factor:g}")
    rows = []
    for key, series in table.groupby(SERIES, sort=False):
        for kind, i, j in _changes(series, factor):
            (commit, after), (last, before) = (series[["commit", "value"]].iloc[k] for k in (j, i))
            ratio = after / before if before else math.inf
            facts = (series["type"].iloc[0], series["unit"].iloc[0])
            rows.append((*key, *facts, kind, commit, before, after, ratio, last, series["value"].iloc[-1]))
    found = pd.DataFrame(rows, columns=_STEPS)
    size = found["ratio"].where(found["kind"] == "regression", 1 / found["ratio"].where(found["ratio"] > 0))
    order = found.assign(size=size).sort_values(["kind", "size"], ascending=False, kind="stable")
    return order.drop(columns="size").reset_index(drop=True)


def _changes(series: pd.DataFrame, factor: float) -> list[tuple[str, int, int]]:
    """Kind of every change of a series, position of the last value before it and of the first after it."""
    values = series["value"].tolist()
    exact = series["type"].iloc[0] == EXACT
    finite = [k for k, value in enumerate(values) if value < math.inf]
    found: list[tuple[str, int, int]] = []
    if not finite:
        return found
    kept = [values[k] for k in finite]
    for kind, i, j in (*_rises(kept, exact, factor), *_falls(kept, exact, factor)):
        before, after = (series.iloc[finite[k]] for k in (i, j))
        apart = after["q25"] > before["q75"] if kind == "regression" else after["q75"] < before["q25"]
        if exact or apart:
            found.append((kind, finite[i], finite[j]))
    if finite[-1] < len(values) - 1:
        found.append(("regression", finite[-1], finite[-1] + 1))
    return found


def _rises(values: Sequence[float], exact: bool, factor: float) -> list[tuple[str, int, int]]:
    from asv.step_detect import detect_regressions, detect_steps

    levels = _levels(values) if exact else detect_steps(values)
    least = 1 if exact else 2  # commits in a dip from which a return counts
    found = detect_regressions(levels, 0.0 if exact else factor - 1.0, least)[2] or []
    return [("regression", i, j) for i, j, *_ in found]


def _falls(values: Sequence[float], exact: bool, factor: float) -> list[tuple[str, int, int]]:
    """Rises of the series read backwards."""
    last = len(values) - 1
    return [("improvement", last - j, last - i) for _, i, j in _rises(values[::-1], exact, factor)]


def _levels(values: Sequence[float]) -> list[tuple[int, int, float, float, float]]:
    """Steps of a series without noise, in the form of `asv.step_detect.detect_steps`."""
    found, start = [], 0
    for value, group in itertools.groupby(values):
        end = start + len(list(group))
        found.append((start, end, value, value, 0.0))
        start = end
    return found
