"""The data sets behind the regression problems: synthetic, shipped, CSV, and every complaint about bad data."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from optbench.problems._data import load
from optbench.problems._sources import SALES, Synthetic, synthetic_table
from optbench.registry import get_problem


def write(folder: Path, text: str | bytes, name: str = "table.csv") -> str:
    """Path of a new file."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


# -------------------------------------------------------------------------------------------------- data sets


@pytest.mark.parametrize("cond", [1.0, 10.0, 1e6])
@pytest.mark.parametrize("d", [2, 5, 40])
def test_synthetic_is_what_was_asked(cond: float, d: int) -> None:
    problem = get_problem(
        "linear_regression", data="synthetic", n_samples=90, n_features=d, cond=cond, noise=0.3, instance=5
    )
    data = load("synthetic", synthetic=Synthetic(90, d, 0.3, cond, 5))
    assert data.X.shape == (90, d)
    assert problem.n == d + 1
    assert_allclose(np.linalg.cond(data.X), cond, rtol=1e-8)
    assert_allclose(np.linalg.cond(problem.data.X), cond, rtol=1e-8)
    singular = np.linalg.svd(data.X, compute_uv=False)
    assert_allclose(singular / singular[0], np.geomspace(1, 1 / cond, d), rtol=1e-8)
    assert_allclose(data.X.mean(axis=0), 0.0, atol=1e-13)
    assert_allclose(data.X.std(axis=0), 1.0, rtol=1e-13)
    assert problem.f_opt == pytest.approx(0.3**2, rel=1e-12)


def test_instances_differ_and_repeat() -> None:
    first, again, other = (synthetic_table(Synthetic(instance=seed)).columns for seed in (1, 1, 2))
    assert list(first) == [*(f"x{j + 1}" for j in range(10)), "y"]
    for name, column in first.items():
        assert_array_equal(column, again[name])
        assert np.abs(np.asarray(column) - np.asarray(other[name])).max() > 0.1
    assert load("synthetic") is load("synthetic", synthetic=Synthetic())


def test_synthetic_classes_are_balanced() -> None:
    data = load("synthetic", kind="signs")
    assert (np.sum(data.y == 1.0), np.sum(data.y == -1.0)) == (100, 100)


def test_shipped_data_are_what_the_script_writes() -> None:
    script = Path(__file__).parent / "reference" / "make_sales.py"
    assert SALES.read_text(encoding="ascii") == runpy.run_path(str(script))["text"]()
    data = load("sales")
    assert (data.X.shape, data.feature_names, data.target_name) == ((40, 1), ("spending",), "sales")


def test_standardized_and_read_only() -> None:
    data = load("diabetes")
    assert_allclose(data.columns.mean(axis=1), 0.0, atol=1e-14)
    assert_allclose(data.columns.std(axis=1), 1.0, rtol=1e-14)
    assert data.columns.flags.c_contiguous
    assert data.y.max() > 100
    assert not any(array.flags.writeable for array in (data.X, data.y, data.columns, data.center, data.scale))
    problem, same = get_problem("linear_regression"), get_problem("linear_regression")
    assert problem.data.X is same.data.X
    assert problem.data.r is not same.data.r


# --------------------------------------------------------------------------------------------------------- CSV


def test_csv_of_the_sales_equals_the_built_in(tmp_path: Path) -> None:
    text = SALES.read_text(encoding="ascii")
    built_in = get_problem("linear_regression", data="sales")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    forms = (
        text,
        "\ufeff" + text.replace("\n", "\r\n"),
        text.replace(",", ";"),
        text.replace(",", " \t ") + "\n\n",
        ",spending,note,sales\n" + "".join(f'{k},{s},"a, b",{t}\n' for k, (s, t) in enumerate(rows)),
    )
    for k, form in enumerate(forms):
        problem = get_problem("linear_regression", data=write(tmp_path, form, f"{k}.csv"), target="sales")
        assert_array_equal(problem.data.X, built_in.data.X)
        assert_array_equal(problem.data.y, built_in.data.y)
        assert problem.f_opt == built_in.f_opt


def test_features_are_taken_in_the_order_given(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c,y\n1,2,9,4\n5,7,x,8\n3,1,,2\n")
    data = load(path, "y", ["b", "a"], standardize=False)
    assert data.feature_names == ("b", "a")
    assert_array_equal(data.X, [[2, 1], [7, 5], [1, 3]])


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, "a,y\n1,2\n3,4\n")
    assert_array_equal(load(path, "y").y, [2, 4])
    write(tmp_path, "a,y\n1,2\n3,4\n5,6\n")
    assert_array_equal(load(path, "y").y, [2, 4, 6])


@pytest.mark.parametrize(
    ("cells", "labels", "signs"),
    [
        (("no", "yes", "no"), ("no", "yes"), (-1, 1, -1)),
        (("10", "9", "10.0"), ("9", "10"), (1, -1, 1)),
        (("10", "9", "b"), None, None),
    ],
)
def test_binary_target(tmp_path: Path, cells: Any, labels: Any, signs: Any) -> None:
    path = write(tmp_path, "a,y\n" + "".join(f"{k},{cell}\n" for k, cell in enumerate(cells)))
    if labels is None:
        with pytest.raises(ValueError, match="two distinct values, but holds 3: 10, 9, b"):
            load(path, "y", kind="signs")
    else:
        data = load(path, "y", kind="signs")
        assert data.labels == labels
        assert_array_equal(data.y, signs)
        assert get_problem("logistic_regression", data=path, target="y").n == 2


BAD_FILES: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "empty": ("", {}, "the file is empty"),
    "no-rows": ("a,y\n", {}, "there are no rows below the header"),
    "binary": (b"\x89PNG\r\n\xff\x00", {}, "is not a CSV file: byte 0 is not UTF-8 text"),
    "nul": ("a,y\n\0,1\n", {}, "is not a CSV file: it holds binary data"),
    "quotes": ('a,y\n1,"2"x\n', {}, "is not a CSV file: .* in line 2"),
    "ragged": ("a,y\n1,2\n\n3\n", {}, "line 4 has 1 cells, but the header has 2"),
    "twins": ("a,a,y\n1,2,3\n", {}, "two columns are named 'a'"),
    "no-target": ("a,y\n1,2\n", {"target": ""}, "say which column is the target, one of a, y"),
    "target": ("spend,sales\n1,2\n", {"target": "sale"}, "unknown target column .* 'sale'. Did you mean 'sales'?"),
    "feature": ("spend,y\n1,2\n", {"features": ["spent"]}, "unknown feature column .*'spent'. Did you mean 'spend'?"),
    "feature-is-target": ("a,y\n1,2\n", {"features": ["y"]}, "feature 'y' is the target"),
    "feature-twice": ("a,y\n1,2\n", {"features": ["a", "a"]}, "feature 'a' is named twice"),
    "no-feature": ("a,y\nt,2\n", {}, "no numeric feature column besides the target 'y'"),
    "feature-string": ("a,y\n1,2\n", {"features": "a"}, "features takes a list of column names, not 'a'"),
    "text": ("a,y\n1,2\n2O,3\n", {}, "column 'a' is not numeric: '2O' in line 3"),
    "infinite": ("a,y\n1,2\n2,inf\n", {}, "column 'y' is not numeric: 'inf' in line 3"),
    "text-feature": ("a,b,y\n1,u,2\n", {"features": ["b"]}, "column 'b' is not numeric: 'u' in line 2"),
    "missing": ("a,y\n1,2\n,3\n4,5\nNA,6\n", {}, "column 'a' has missing values in lines 3, 5$"),
    "missing-one": ("a,y\n1,\n2,3\n", {}, "column 'y' has missing values in line 2$"),
    "missing-many": ("a,y\n" + ",1\n" * 9, {}, "'a' has missing values in lines 2, 3, 4, 5, 6 and 4 more$"),
    "constant": ("a,y\n3,2\n3,4\n", {}, "feature 'a' is 3 in every row and cannot be standardized"),
}


@pytest.mark.parametrize("key", BAD_FILES)
def test_bad_file_is_one_clear_error(tmp_path: Path, key: str) -> None:
    text, settings, message = BAD_FILES[key]
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=message) as caught:
        get_problem("linear_regression", **{"data": path, "target": "y", **settings})
    assert "\n" not in str(caught.value)
    assert key == "feature-string" or path in str(caught.value)


def test_missing_file_and_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        get_problem("linear_regression", data=str(tmp_path / "none.csv"), target="y")
    with pytest.raises(ValueError, match="there is no such file"):
        get_problem("linear_regression", data="none.csv", target="y")
    with pytest.raises(ValueError, match="there is no such file"):
        get_problem("linear_regression", data=str(tmp_path), target="y")
    with pytest.raises(ValueError, match=r"unknown data set .* 'diabets'. Did you mean 'diabetes'"):
        get_problem("linear_regression", data="diabets")


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("linear_regression", {"n_features": 0}, "n_features must be at least 1, not 0"),
        ("linear_regression", {"n_samples": 11}, "n_samples must be at least 12, not 11"),
        ("linear_regression", {"noise": -1.0}, "noise must be at least 0, not -1"),
        ("linear_regression", {"noise": float("nan")}, "noise must be at least 0, not nan"),
        ("linear_regression", {"cond": 0.5}, "cond must be at least 1, not 0.5"),
        ("linear_regression", {"cond": float("inf")}, "cond must be at least 1, not inf"),
        ("linear_regression", {"instance": -1}, "instance must be at least 0, not -1"),
        ("linear_regression", {"data": "diabetes", "cond": 5.0}, 'cond = 5.0 goes with data = "synthetic" only'),
        ("ridge", {"alpha": -0.1}, "alpha must be at least 0 and finite, not -0.1"),
        ("logistic_regression", {"alpha": 0.0}, "alpha must be above 0 and finite, not 0.0"),
        ("logistic_regression", {"data": "diabetes"}, "'progression' must hold two distinct values, but holds 214: 25"),
    ],
)
def test_bad_setting_is_one_clear_error(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_problem(name, **{"data": "synthetic", **settings})


def test_separable_data_need_a_penalty_that_counts(tmp_path: Path) -> None:
    path = write(tmp_path, "a,y\n1,0\n2,0\n3,1\n4,1\n")
    with pytest.raises(ValueError, match="alpha = 1e-300 is too small for a certified minimum"):
        get_problem("logistic_regression", data=path, target="y", alpha=1e-300)
    assert get_problem("logistic_regression", data=path, target="y", alpha=1e-8).f_opt == pytest.approx(0.0, abs=1e-5)


def test_the_loader_imports_scikit_learn_only_for_its_data() -> None:
    code = (
        "import sys, optbench.registry as r; r.list_problems(); r.get_problem('ridge', data='sales')\n"
        "assert not {'sklearn', 'scipy', 'pandas', 'numba', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
