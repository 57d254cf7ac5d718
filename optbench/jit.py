"""From plain functions to cached machine code that every process can call by address.

What a person writes (a coordinate's update, an objective, a schedule) is a plain Python function. This module

1. lowers it: the plain functions it calls are compiled along with it, nothing has to be decorated;
2. fingerprints it: bytecode, constants and everything it refers to, transitively, so that an edit anywhere is seen;
3. compiles it once behind a C signature and keeps the object code in a file that is named by that fingerprint.

The compiled drivers call the resulting addresses, so a new combination of problem, optimizer and schedule compiles
nothing. Numba keys its own cache by the file of one function only and therefore runs stale code after an edit in
another file; it also cannot cache a closure over another compiled function. Hence the small cache here, which keeps
what Numba's own keeps (``CodeLibrary.serialize_using_object_code``) under a better key.
"""

from __future__ import annotations

import ctypes
import dis
import functools
import hashlib
import os
import pickle
import re
import sys
import time
import types as pytypes
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optbench.fingerprints import ENGINE as ENGINE
from optbench.fingerprints import PACKAGE as PACKAGE
from optbench.fingerprints import engine_hash as engine_hash
from optbench.fingerprints import fingerprint as fingerprint
from optbench.fingerprints import key_of as key_of
from optbench.fingerprints import references

STEP_MATH = frozenset({"contract"})
SUM_MATH = frozenset({"reassoc", "contract"})


@dataclass(frozen=True, eq=False)
class Kernel:
    """Machine code of one function: its address, what it took to get it, and where it came from.

    Called from Python with numbers (addresses as integers) it runs the code and returns its value.
    """

    name: str
    address: int
    kinds: str
    seconds: float
    cached: bool
    fingerprint: str

    @functools.cached_property
    def _entry(self) -> Any:
        arguments = [_CTYPES[kind] for kind in self.kinds[1:]]
        return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *arguments)(self.address)

    def __call__(self, *arguments: float) -> Any:
        """Run the code."""
        value, exception = _CTYPES[self.kinds[0]](), ctypes.c_void_p()
        if self._entry(ctypes.addressof(value), ctypes.addressof(exception), *arguments):
            raise FloatingPointError(f"kernel {self.name} failed")
        return value.value


_CTYPES: dict[str, Any] = {"d": ctypes.c_double, "i": ctypes.c_int64}


# -------------------------------------------------------------------------------------------------- lowering


def lower(function: Callable[..., Any], fastmath: frozenset[str] = STEP_MATH, inline: bool | None = False) -> Any:
    """Numba dispatcher of a plain function and, through it, of every plain function that it calls.

    With `inline` each is optimized alone and then put into its caller; None puts it there first, so that constants of
    the caller (the length of an array) reach its loops, whose arithmetic then is the caller's.
    """
    return lower_with(function, lambda plain: compiled(plain, fastmath, inline))


def lower_with(function: Callable[..., Any], build: Callable[[pytypes.FunctionType], Any]) -> Any:
    """What `build` makes of a plain function, once the plain functions that it calls are what `build` makes of them."""
    return _lower(function, build, {})


def _lower(function: Any, build: Callable[[pytypes.FunctionType], Any], done: dict[int, Any]) -> Any:
    if not isinstance(function, pytypes.FunctionType):
        return function
    if id(function) not in done:
        _refuse(function)
        used = dict(references(function))
        done[id(function)] = None
        swapped = {name: _lower(item, build, done) for name, item in used.items() if item is not function}
        scope = {**{k: v for k, v in function.__globals__.items() if k in ("__name__", "__builtins__")}, **swapped}
        cells = tuple(pytypes.CellType(swapped[name]) for name in function.__code__.co_freevars)
        copy = pytypes.FunctionType(function.__code__, scope, function.__name__, function.__defaults__, cells or None)
        copy.__kwdefaults__ = function.__kwdefaults__
        done[id(function)] = build(copy)
    return done[id(function)]


def _refuse(function: pytypes.FunctionType) -> None:
    """Raise TypeError for what a kernel may not do: its failure or its output would be lost, or hang the process."""
    words = {instruction.opname for instruction in dis.get_instructions(function)}
    where = f"{function.__qualname__} ({function.__code__.co_filename}, line {function.__code__.co_firstlineno})"
    if "RAISE_VARARGS" in words:
        raise TypeError(f"kernel {where} raises: check before the run, and let NaN speak during it")
    if "print" in function.__code__.co_names and "print" not in function.__globals__:
        raise TypeError(f"kernel {where} prints: compiled code cannot")


def compiled(function: Callable[..., Any], fastmath: frozenset[str] = STEP_MATH, inline: bool | None = False) -> Any:
    """Numba dispatcher with the package's flags: a part of a kernel, inlined on request, not callable from Python."""
    from numba import njit

    from optbench.noalias import NoAlias

    options: dict[str, Any] = {"error_model": "numpy", "fastmath": set(fastmath), "forceinline": inline is True}
    if inline is None:
        options["inline"] = "always"
    return njit(pipeline_class=NoAlias, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function)


# --------------------------------------------------------------------------------------------------- the cache


def cache_root() -> Path:
    """Folder that holds one sub-folder of object code for each state of the sources.

    ``OPTBENCH_CACHE_DIR``, else ``NUMBA_CACHE_DIR`` with ``optbench`` below it, else the user's cache folder.
    """
    if explicit := os.environ.get("OPTBENCH_CACHE_DIR"):
        return Path(explicit)
    if numba_dir := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(numba_dir) / "optbench"
    import platformdirs

    return Path(platformdirs.user_cache_dir("optbench", appauthor=False))


@functools.cache
def cache_folder() -> Path | None:
    """The folder for the present sources, or None (after one warning) where nothing can be written."""
    folder = cache_root() / engine_hash()
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _prune(folder.parent)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        warnings.warn(
            f"optbench: no kernel can be cached in {folder} ({error.strerror}); every process compiles anew. "
            "Set OPTBENCH_CACHE_DIR to a writable folder.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return folder


def _prune(root: Path, keep: int = 4) -> None:
    """Remove the object code of all but the newest states of the sources."""
    folders = sorted((path for path in root.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for folder in folders[:-keep]:
        for path in folder.glob("*.o"):
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):
            folder.rmdir()


_LOADED: dict[str, Kernel] = {}
_LIBRARIES: list[Any] = []  # code must outlive every address taken from it


def compile_kernel(
    name: str,
    make: Callable[[], Callable[..., Any]],
    key: str,
    kinds: str,
    fastmath: frozenset[str] = STEP_MATH,
) -> Kernel:
    """Machine code of the function that `make` builds, from memory, from the cache or compiled.

    Parameters
    ----------
    name : str
        What the code is, for people: ``optimizer-adam``.
    make : callable
        Returns the plain function to compile; called only when nothing is cached.
    key : str
        Fingerprint of everything that decides the code besides the package's own sources.
    kinds : str
        Types of the result and the arguments, a letter each: d double, i 64-bit integer (addresses too).
    fastmath : frozenset of str
        LLVM fast-math flags.
    """
    start = time.perf_counter()
    full = hashlib.sha256(repr((name, key, kinds, sorted(fastmath), _platform())).encode()).hexdigest()[:24]
    if full in _LOADED:
        return _LOADED[full]
    folder = cache_folder()
    path = folder / f"{re.sub(r'[^0-9A-Za-z_.-]', '_', name)}-{full}.o" if folder else None
    entry = _read(path) if path else None
    cached = entry is not None
    if entry is None:
        entry = _compile(make(), kinds, fastmath)
        if path:
            _write(path, entry)
    library = _codegen().unserialize_library(entry[1])
    address = library.get_pointer_to_function(entry[0])
    _LIBRARIES.append(library)
    _LOADED[full] = Kernel(name, address, kinds, time.perf_counter() - start, cached, key)
    return _LOADED[full]


def loaded() -> tuple[Kernel, ...]:
    """Every kernel this process has loaded or compiled so far."""
    return tuple(_LOADED.values())


@functools.cache
def _codegen() -> Any:
    from numba.core.registry import cpu_target

    cpu_target.target_context.refresh()
    return cpu_target.target_context.codegen()


@functools.cache
def _platform() -> tuple[Any, ...]:
    import llvmlite
    import numba

    return (numba.__version__, llvmlite.__version__, sys.version_info[:2], _codegen().magic_tuple())


def _compile(function: Callable[..., Any], kinds: str, fastmath: frozenset[str]) -> tuple[str, Any]:
    from numba import cfunc, types

    from optbench.noalias import NoAlias

    numba_types = [{"d": types.float64, "i": types.int64}[kind] for kind in kinds]
    callback = cfunc(
        numba_types[0](*numba_types[1:]), error_model="numpy", fastmath=set(fastmath), pipeline_class=NoAlias
    )(function)
    return callback.native_name.removeprefix("cfunc."), callback._library.serialize_using_object_code()


def _read(path: Path) -> tuple[str, Any] | None:
    try:
        return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]
    except Exception:  # missing, cut off, of another version: compile again
        return None


def _write(path: Path, entry: tuple[str, Any]) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with suppress(OSError):
        temporary.write_bytes(pickle.dumps(entry))
        temporary.replace(path)
