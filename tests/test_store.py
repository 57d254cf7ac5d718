"""The results store: nothing recorded is lost, one writer at a time, nothing foreign touched, exact values back."""

from __future__ import annotations

import dataclasses
import math
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optbench import tables
from optbench.export import export
from optbench.outcome import Result, Run
from optbench.store import Entry, Store, StoreError, load, run_of

TARGETS = (1e-1, 1e-2, 1e-3)
NAN, INF = math.nan, math.inf


def make_run(seed: int = 0, **changes: Any) -> Run:
    run = Run(
        problem="rosenbrock",
        settings=(("n", 2),),
        optimizer="adam",
        params=(("beta1", 0.9), ("amsgrad", False)),
        lr=1e-3,
        schedule="step",
        schedule_params=(("step_size", 30), ("gamma", 0.1)),
        warmup=5,
        warmup_start=0.25,
        clip="norm",
        clip_at=1.5,
        batch_size=0,
        batch_order="shuffle",
        drop_last=False,
        decay_bias=True,
        seed=seed,
        max_iter=100,
        time_limit=INF,
        targets=TARGETS,
    )
    return dataclasses.replace(run, **changes)


def make_result(**changes: Any) -> Result:
    result = Result(
        x=np.array([1.0, 2.0]),
        jac=np.array([3.0, 4.0]),
        fun=0.5,
        f0=24.2,
        nit=100,
        nfev=101,
        njev=102,
        status="budget",
        message="the budget of 100 steps is spent",
        hits={1e-1: 0, 1e-2: 50, 1e-3: None},
        trace={
            "iteration": np.array([0, 10, 100]),
            "f": np.array([24.2, 1.5, 0.5]),
            "grad_norm": np.array([9.0, 7.0, 5.0]),
            "lr": np.array([1e-3, 1e-3, 1e-5]),
        },
        compile_seconds=0.75,
    )
    return dataclasses.replace(result, **changes)


def record(path: Path, *entries: tuple[Run, Result], **known: Any) -> None:
    with Store(path) as store:
        invocation = store.begin("optbench run", {"python": "3.x"})
        store.add_many([Entry(run, result, "c0de", 2, **known) for run, result in entries], invocation)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


# ------------------------------------------------------------------------------------------------- other processes

CHILD = """
import sys
sys.path[:0] = {roots!r}
from test_store import Store, load, make_result, make_run
path = {path!r}
{body}
"""


@contextmanager
def child(path: Path, body: str) -> Iterator[subprocess.Popen[str]]:
    """Run `body` in another process, with pipes; killed with SIGKILL at the end."""
    here = Path(__file__).resolve()
    code = CHILD.format(roots=[str(here.parent), str(here.parents[1])], path=str(path), body=body)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    text = process.stdout.readline()
    assert text, "the child ended early"
    return text.strip()


HOLD = """
with Store(path) as store:
    invocation = store.begin("first", {})
    print("open", flush=True)
    for k, _ in enumerate(sys.stdin):
        store.add(make_run(k), make_result(), "c0de", invocation, n=2)
        print("added", flush=True)
"""

RECORD_FOREVER = """
print("ready", flush=True)
with Store(path) as store:
    invocation = store.begin("doomed", {})
    k = 0
    while True:
        store.add(make_run(k), make_result(seconds=[1.0]), "c0de", invocation, n=2)
        print(make_run(k).key, flush=True)
        k += 1
"""


@pytest.mark.parametrize("lines", [1, 2, 40, 300])
def test_kill_loses_no_recorded_run_and_the_next_command_goes_on(path: Path, lines: int) -> None:
    with child(path, RECORD_FOREVER) as process:
        assert line(process) == "ready"
        keys = [line(process) for _ in range(lines - 1)]
        process.kill()
        assert process.stdout is not None
        keys += process.stdout.read().split()
    with Store(path) as store:
        assert store.finished(keys) == dict.fromkeys(keys, "c0de")
        assert len(store.hits()) == len(TARGETS) * len(store.runs())
        assert len(store.times()) == len(store.traces()) / 3 == len(store.runs())
        store.add(make_run(-1), make_result(), "c0de", store.begin("again", {}), n=2)
    assert {*keys, make_run(-1).key} <= {*load(path).runs.index}
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_killed_writers_results_can_be_read_before_anyone_writes_again(path: Path) -> None:
    with child(path, RECORD_FOREVER) as process:
        keys = [line(process) for _ in range(5)][1:]
    assert {*keys} <= {*load(path).runs.index}


def test_what_a_writer_killed_while_making_the_file_left_is_no_obstacle(path: Path) -> None:
    half = path.with_name(".results.db.new")
    half.write_bytes(b"SQLite format 3\0 and then")
    record(path, (make_run(), make_result()))
    assert len(load(path).runs) == 1
    assert not half.exists()


def test_second_writer_is_refused_at_once_and_readers_are_not(path: Path) -> None:
    with child(path, HOLD) as process:
        assert line(process) == "open"
        with pytest.raises(StoreError) as refused:
            Store(path)
        said = str(refused.value)
        assert said.startswith(f"{path} is being written by another optbench (pid {process.pid}, since 20")
        assert said.endswith("; wait for it or choose another file with -o")
        assert process.stdin is not None
        for count in range(1, 4):
            process.stdin.write("\n")
            process.stdin.flush()
            assert line(process) == "added"
            assert len(load(path).runs) == count
        process.stdin.close()
        assert process.wait() == 0
    with Store(path) as store:
        assert len(store.runs()) == 3


def test_second_writer_in_the_same_process_or_by_another_name_is_refused(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with Store(path):
        for name in (path, link):
            with pytest.raises(StoreError, match=f"written by another optbench .pid {os.getpid()},"):
                Store(name)
    Store(link).close()


def test_reading_in_the_writers_process_leaves_its_locks(path: Path) -> None:
    # Closing a plain file handle would drop them: the other process would then take itself for the last one that has
    # the file open, and remove the log under the writer.
    with Store(path) as store:
        invocation = store.begin("", {})
        store.add(make_run(0), make_result(), "c0de", invocation, n=2)
        assert len(load(path).runs) == 1
        with pytest.raises(StoreError):
            Store(path)
        with child(path, "print(len(load(path).runs), flush=True)") as process:
            assert line(process) == "1"
            assert process.wait() == 0
        assert path.with_name("results.db-wal").exists()
        store.add(make_run(1), make_result(), "c0de", invocation, n=2)
    assert len(load(path).runs) == 2


def test_store_is_a_single_file_after_writing_and_reading(path: Path) -> None:
    record(path, (make_run(), make_result()))
    assert len(load(path).runs) == 1
    assert {item.name for item in path.parent.iterdir()} == {"results.db", "results.db.lock"}


def test_import_is_light() -> None:
    code = "import sys, optbench.store; print(*{'pandas', 'pyarrow', 'numba', 'filelock'} & {*sys.modules})"
    root = str(Path(__file__).resolve().parents[1])
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# ------------------------------------------------------------------------------------------------- refusals


def foreign_files() -> dict[str, bytes]:
    with closing(sqlite3.connect(":memory:")) as con:
        con.execute("CREATE TABLE runs (key TEXT)")
        database = con.serialize()
    wal = bytearray(database)
    wal[18:20] = b"\2\2"  # the same database, to be opened with a log
    return {
        "a text": b"optimizer,lr\nadam,0.1\n",
        "a long text": b"SQLite format 3 " * 4096,
        "another database": database,
        "another database with a log": bytes(wal),
        "a cut database": database[:80],
    }


@pytest.mark.parametrize("kind", foreign_files())
def test_foreign_file_is_refused_and_left_as_it_is(path: Path, kind: str) -> None:
    content = foreign_files()[kind]
    path.write_bytes(content)
    before = path.stat()
    for attempt in (Store, load, lambda p: Store(p, "r"), lambda p: export(p, p.with_name("out"))):
        with pytest.raises(StoreError, match="is not an optbench results file; it was left as it is"):
            attempt(path)
    assert path.read_bytes() == content
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert [item.name for item in path.parent.iterdir()] == ["results.db"]


def test_a_file_of_before_there_were_back_ends_is_read_and_brought_up_to_date_by_the_first_to_write(path: Path) -> None:
    record(path, (make_run(0), make_result()))
    with closing(sqlite3.connect(path)) as con:
        for name in tables.SINCE_2:
            con.execute(f"ALTER TABLE runs DROP COLUMN {name}")
        con.execute("PRAGMA user_version = 2")
        con.commit()
    before = load(path).runs
    assert before[["backend", "device", "dtype"]].iloc[0].tolist() == ["cpu", "cpu", "float64"]
    assert before["transfer_seconds"].isna().all()
    assert run_of(before.iloc[0]) == make_run(0)
    assert before.index[0] == make_run(0).key
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("PRAGMA user_version").fetchone() == (2,)  # reading has changed nothing
    record(path, (dataclasses.replace(make_run(1), backend="cuda", device="G", dtype="float32"), make_result()))
    runs = load(path).runs
    assert runs["backend"].tolist() == ["cpu", "cuda"]
    assert [run_of(row).key for _, row in runs.iterrows()] == runs.index.tolist()
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("PRAGMA user_version").fetchone() == (tables.SCHEMA,)


def test_newer_schema_is_refused_and_left_as_it_is(path: Path) -> None:
    record(path, (make_run(), make_result()))
    with closing(sqlite3.connect(path)) as con:
        con.execute(f"PRAGMA user_version = {tables.SCHEMA + 1}")
    content = path.read_bytes()
    sentence = f"schema {tables.SCHEMA + 1}, this optbench knows schema {tables.SCHEMA}: upgrade optbench or choose"
    for attempt in (Store, load):
        with pytest.raises(StoreError, match=sentence):
            attempt(path)
    assert path.read_bytes() == content


def test_damaged_store_is_a_sentence(path: Path) -> None:
    record(path, *((make_run(k), make_result()) for k in range(50)))
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be read or written"):
        load(path).runs  # noqa: B018


def test_what_is_not_a_file(tmp_path: Path) -> None:
    for attempt in (Store, load):
        with pytest.raises(StoreError, match="is not a file"):
            attempt(tmp_path)
    with pytest.raises(StoreError, match="does not exist: there are no results to read"):
        load(tmp_path / "results.db")
    with pytest.raises(StoreError, match=r"the folder .*missing does not exist"):
        Store(tmp_path / "missing" / "results.db")
    assert not [*tmp_path.iterdir()]
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="is empty: there are no results to read"):
        load(tmp_path / "empty.db")
    record(tmp_path / "empty.db", (make_run(), make_result()))
    assert len(load(tmp_path / "empty.db").runs) == 1
    with pytest.raises(ValueError, match="mode is 'w' or 'r', not 'a'"):
        Store(tmp_path / "empty.db", "a")  # type: ignore[arg-type]


@contextmanager
def read_only_folder(path: Path | None = None) -> Iterator[Path]:
    """Change the folder so that this process cannot write it; as root, by being nobody for the time."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if path is not None:
            (folder / path.name).write_bytes(path.read_bytes())
        folder.chmod(0o555)
        try:
            if root:
                os.seteuid(65534)
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are POSIX ones")
def test_read_only_folder_can_be_read_and_not_written(path: Path) -> None:
    record(path, (make_run(), make_result()))
    export(path, path.with_name("runs.csv"))  # imports what reading and exporting need while all files can be read
    with read_only_folder(path) as folder:
        assert len(load(folder / "results.db").runs) == 1
        for name in ("results.db", "new.db"):
            with pytest.raises(StoreError, match="cannot be read or written: Permission denied"):
                Store(folder / name)
        with pytest.raises(StoreError, match="cannot be read or written: Permission denied"):
            export(folder / "results.db", folder / "runs.csv")
        assert [item.name for item in folder.iterdir()] == ["results.db"]


def test_store_open_for_reading_refuses_to_record(path: Path) -> None:
    record(path)
    with Store(path, "r") as store, pytest.raises(StoreError, match="attempt to write a readonly database"):
        store.begin("", {})


# ------------------------------------------------------------------------------------------------- round trips


def test_run_and_result_come_back(path: Path) -> None:
    run, result = make_run(7), make_result(seconds=[4.0, 1.0, 2.0, 3.0])
    record(path, (run, result), f_opt=0.0)
    stored = load(path)
    row: Any = stored.runs.loc[run.key]
    assert stored.runs.index.name == "run"
    assert [*stored.runs.columns] == [*tables.RUN_COLUMNS]
    assert run_of(row) == run
    assert run_of(row).key == run.key
    assert row["settings"] == '{"n": 2}'
    expected = {"n": 2, "label": "adam", "code": "c0de", "invocation": 1, "f_opt": 0.0, "grad_norm": 5.0}
    expected |= {"wall_q25": 1.75, "wall_median": 2.5, "wall_q75": 3.25, "n_times": 4}
    for name in ("status", "message", "fun", "f0", "nit", "nfev", "njev", "compile_seconds"):
        expected[name] = getattr(result, name)
    assert {name: row[name] for name in expected} == expected
    assert stored.hits["run"].unique().tolist() == [run.key]
    assert stored.hits["target"].tolist() == [*TARGETS]
    assert stored.hits["iteration"].fillna(-1).tolist() == [0, 50, -1]
    assert stored.hits["seconds"].fillna(-1).tolist() == [0.0, 1.25, -1.0]
    assert stored.times["sample"].tolist() == [0, 1, 2, 3]
    assert stored.times["seconds"].tolist() == result.seconds
    for name, column in result.trace.items():
        assert stored.traces[name].tolist() == column.tolist()
    assert stored.points(run.key) is None


def test_nan_inf_and_nothing_come_back(path: Path) -> None:
    values = np.array([1.0, INF, -INF, NAN, -0.0, 5e-324])
    trace = dict.fromkeys(("f", "grad_norm", "lr"), values) | {"iteration": np.arange(6)}
    diverged = make_result(fun=NAN, f0=INF, jac=np.array([NAN, 1.0]), status="diverged", trace=trace)
    huge = make_result(fun=-INF, jac=np.array([INF, 1.0]), trace={})
    crashed = make_result(fun=NAN, x=np.empty(0), jac=np.empty(0), status="crashed", hits={}, trace={}, nit=0)
    record(path, *((make_run(k), result) for k, result in enumerate((diverged, huge, crashed))))
    stored = load(path)
    np.testing.assert_array_equal(stored.runs["fun"], [NAN, -INF, NAN])
    np.testing.assert_array_equal(stored.runs["f0"], [INF, 24.2, 24.2])
    np.testing.assert_array_equal(stored.runs["grad_norm"], [NAN, INF, NAN])
    assert stored.runs["time_limit"].tolist() == [INF] * 3
    assert stored.runs[["f_opt", "wall_median"]].isna().all(axis=None)
    assert stored.runs["status"].tolist() == ["diverged", "budget", "crashed"]
    assert stored.hits["seconds"].isna().all()
    for name in ("f", "grad_norm", "lr"):
        assert stored.traces[name].to_numpy().tobytes() == values.tobytes()


def test_gradient_norm_neither_overflows_nor_underflows(path: Path) -> None:
    gradients = [np.array([3e200, 4e200]), np.array([3e-200, 4e-200]), np.zeros(2)]
    record(path, *((make_run(k), make_result(jac=jac)) for k, jac in enumerate(gradients)))
    assert load(path).runs["grad_norm"].tolist() == pytest.approx([5e200, 5e-200, 0.0], rel=1e-15)


def test_text_of_any_kind_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a ?b#c%20 \u00fc\u4e16.db"
    text = "Verl\u00e4ufe \u4e16\u754c \U0001f600 \"quoted\", 'q'\n\tnull \0 end"
    lone = "undecodable \udcff name"
    plain = make_run(
        settings=(("data", text), ("columns", ("a", "\u00e4")), ("limit", INF), ("on", True), ("no", None))
    )
    strange = make_run(settings=(("data", lone),))
    entries = [Entry(run, make_result(message=lone), "c0de", 2, label=text) for run in (plain, strange)]
    with Store(path) as store:
        store.add_many(entries, store.begin(lone, {"host": text, lone: lone}))
    stored = load(path)
    assert [run_of(row) for _, row in stored.runs.iterrows()] == [plain, strange]
    assert text[:5] in stored.runs["settings"].iloc[0]
    assert stored.runs["label"].tolist() == [text, text]
    assert stored.runs["message"].tolist() == ["undecodable ? name"] * 2
    assert stored.environments == {1: {"host": text, lone: lone}}


def test_recorded_points(path: Path) -> None:
    x = np.arange(6.0).reshape(3, 2)
    record(path, (make_run(), make_result(trace=make_result().trace | {"x": x})))
    points = load(path).points(make_run().key)
    assert points is not None
    np.testing.assert_array_equal(points, x)
    assert load(path).points("unknown") is None


def test_numpy_numbers_are_recorded_as_numbers(path: Path) -> None:
    result = make_result(fun=np.float64(2.0), nit=np.int64(7), hits={np.float64(0.1): np.int64(3)})
    record(path, (make_run(), result), f_opt=np.float32(0.5))
    stored = load(path)
    assert stored.runs[["fun", "nit", "f_opt"]].iloc[0].tolist() == [2.0, 7, 0.5]
    assert stored.hits["iteration"].tolist() == [3]


def test_invocations(path: Path) -> None:
    with Store(path) as store:
        first, second = store.begin("optbench run a.toml", {"cpu": {"cores": 2}}), store.begin("optbench run", {})
        store.finish(first, {"runs": 12, "failed": 0})
        frame = store.invocations()
    assert (first, second) == (1, 2)
    assert [*frame.index] == [1, 2]
    assert frame["command"].tolist() == ["optbench run a.toml", "optbench run"]
    assert frame["summary"].iloc[0] == '{"runs": 12, "failed": 0}'
    assert frame["started"].str.endswith("+00:00").all()
    assert frame["finished"].isna().tolist() == frame["summary"].isna().tolist() == [False, True]
    assert load(path).environments == {1: {"cpu": {"cores": 2}}, 2: {}}


# ------------------------------------------------------------------------------------------------- recording


def test_recording_again_replaces_the_row_and_all_that_belongs_to_it(path: Path) -> None:
    record(path, (make_run(0), make_result(seconds=[1.0, 2.0])), (make_run(1), make_result(seconds=[3.0])))
    with Store(path) as store:
        again = store.begin("again", {})
        short = make_result(fun=0.25, hits={1e-1: 5}, trace={}, status="converged")
        store.add(make_run(0), short, "newer", again, n=2, label="adam*")
        assert store.finished([make_run(k).key for k in range(3)]) == {
            make_run(0).key: "newer",
            make_run(1).key: "c0de",
        }
    stored = load(path)
    row: Any = stored.runs.loc[make_run(0).key]
    assert [row[name] for name in ("fun", "status", "label", "invocation")] == [0.25, "converged", "adam*", again]
    assert math.isnan(row["wall_median"])
    assert len(stored.runs) == 2
    assert stored.hits["run"].value_counts().to_dict() == {make_run(0).key: 1, make_run(1).key: 3}
    assert stored.traces["run"].unique().tolist() == [make_run(1).key]
    assert stored.times["seconds"].tolist() == [3.0]
    with closing(sqlite3.connect(path)) as con:  # nothing of the old row stays behind unseen
        counts = [con.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("hits", "traces", "times")]
    assert counts == [4, 1, 1]


def test_a_run_twice_in_one_batch_is_recorded_once(path: Path) -> None:
    record(path, (make_run(), make_result(fun=1.0)), (make_run(), make_result(fun=2.0)))
    assert load(path).runs["fun"].tolist() == [2.0]


def test_times_of_the_timing_pass_replace_those_of_the_run(path: Path) -> None:
    record(path, (make_run(), make_result(seconds=[9.0, 9.0])))
    with Store(path) as store:
        store.add_times(make_run().key, [0.5])
        with pytest.raises(KeyError):
            store.add_times("unknown", [1.0])
    stored = load(path)
    assert stored.times["seconds"].tolist() == [0.5]
    walls = stored.runs[["wall_q25", "wall_median", "wall_q75", "n_times"]].iloc[0]
    assert walls.tolist() == [0.5, 0.5, 0.5, 1]


def test_batch_is_recorded_whole_or_not_at_all(path: Path) -> None:
    ragged = make_result(trace=make_result().trace | {"lr": np.zeros(2)})
    record(path, (make_run(0), make_result(fun=1.0)))
    with Store(path) as store:
        batch = [Entry(make_run(k), result, "c0de", 2) for k, result in enumerate((make_result(), ragged))]
        with pytest.raises(ValueError, match="columns of a trace differ in length"):
            store.add_many(batch, 1)
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            store.add_many(batch[:1], 99)
        assert store.runs()["fun"].tolist() == [1.0]
        assert len(store.hits()) == 3
        store.add_many([], 1)


def test_tables_are_read_once(path: Path) -> None:
    record(path, (make_run(), make_result()))
    stored = load(path)
    assert stored.path == path
    assert stored.runs is stored.runs
    with pytest.raises(dataclasses.FrozenInstanceError):
        stored.path = path.parent  # type: ignore[misc]


# ------------------------------------------------------------------------------------------------- frames and files


def test_empty_store_has_the_columns_and_types_of_a_full_one(path: Path, tmp_path: Path) -> None:
    record(path)
    record(tmp_path / "full.db", (make_run(), make_result(seconds=[1.0])))
    empty, full = load(path), load(tmp_path / "full.db")
    for name in ("runs", "hits", "traces", "times"):
        pd.testing.assert_frame_equal(getattr(empty, name), getattr(full, name).iloc[:0])
    assert str(empty.hits["iteration"].dtype) == "Int64"
    assert [len(getattr(empty, name)) for name in ("runs", "hits", "traces", "times")] == [0] * 4
    assert export(path, tmp_path / "out")


def test_export_round_trip(path: Path, tmp_path: Path) -> None:
    extremes = make_result(fun=NAN, f0=INF, message='said "no",\n\u00fcber', seconds=[0.1 + 0.2, 1e-300])
    record(path, (make_run(0), make_result()), (make_run(1), extremes))
    stored = load(path)
    written = {end: export(path, tmp_path / end, end) for end in ("parquet", "csv")}
    for position, name in enumerate(("runs", "hits", "traces", "times")):
        expected = getattr(stored, name).reset_index() if name == "runs" else getattr(stored, name)
        parquet, csv = (written[end][position] for end in ("parquet", "csv"))
        assert (parquet, csv) == (tmp_path / "parquet" / f"{name}.parquet", tmp_path / "csv" / f"{name}.csv")
        pd.testing.assert_frame_equal(pd.read_parquet(parquet), expected)
        kinds = {column: str(kind) for column, kind in expected.dtypes.items()}
        as_text = {column: kind.replace("float64", "str") for column, kind in kinds.items()}  # Python reads exactly
        text = pd.read_csv(csv, dtype=as_text).astype(kinds)
        pd.testing.assert_frame_equal(text, expected, check_exact=True)
        assert {item.name for item in parquet.parent.iterdir()} == {item.name for item in written["parquet"]}


def test_export_of_runs_to_one_file(path: Path, tmp_path: Path) -> None:
    record(path, (make_run(), make_result()))
    assert export(path, tmp_path / "table.csv") == [tmp_path / "table.csv"]
    assert pd.read_csv(tmp_path / "table.csv")["run"].tolist() == [make_run().key]
    with pytest.raises(StoreError, match=r"ends in \.csv but the format asked for is parquet"):
        export(path, tmp_path / "table.csv", "parquet", overwrite=True)
    with pytest.raises(StoreError, match="unknown export format 'xml'; known: parquet, csv"):
        export(path, tmp_path / "out", "xml")
    with pytest.raises(StoreError, match="is not a folder"):
        export(path, path)


def test_export_overwrites_only_when_asked_and_then_all_or_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(path, (make_run(), make_result()))
    out = tmp_path / "out"
    out.mkdir()
    (out / "hits.csv").write_text("mine")
    with pytest.raises(StoreError, match=r"hits\.csv exists already"):
        export(path, out, "csv")
    assert [item.name for item in out.iterdir()] == ["hits.csv"]

    import pyarrow.csv

    real = pyarrow.csv.write_csv

    def full_disk(table: Any, file: Any) -> None:
        real(table, file)
        if "times" in file.name:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pyarrow.csv, "write_csv", full_disk)
        with pytest.raises(StoreError, match="No space left on device"):
            export(path, out, "csv", overwrite=True)
    assert [item.name for item in out.iterdir()] == ["hits.csv"]
    assert (out / "hits.csv").read_text() == "mine"
    assert len(export(path, out, "csv", overwrite=True)) == 5
    assert len(pd.read_csv(out / "hits.csv")) == 3
