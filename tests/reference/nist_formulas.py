"""The models of NIST's nonlinear regression data sets as their files print them, in mpmath, and their data as decimals.

Every entry of `MODELS` takes the parameters (numbers or jets, see mgh_jets) and the predictors of one observation and
returns the model's value; `residuals` makes the residuals of a data set from it, exact to the working precision.
"""

from __future__ import annotations

import functools
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

JETS = runpy.run_path(str(Path(__file__).with_name("mgh_jets.py")))
exp, sin, cos, atan = (JETS[name] for name in ("exp", "sin", "cos", "atan"))
FOLDER = Path(__file__).resolve().parents[2] / "problems" / "nist" / "data"
LEVELS = ("lower", "average", "higher")


def misra1a(b: Any, x: Any) -> Any:
    """Exponential class, 2 parameters; BoxBOD too."""
    return b[0] * (1 - exp(-b[1] * x))


def misra1b(b: Any, x: Any) -> Any:
    """Miscellaneous class, 2 parameters."""
    return b[0] * (1 - (1 + b[1] * x / 2) ** -2)


def misra1c(b: Any, x: Any) -> Any:
    """Miscellaneous class, 2 parameters."""
    return b[0] * (1 - (1 + 2 * b[1] * x) ** mp.mpf("-0.5"))


def misra1d(b: Any, x: Any) -> Any:
    """Miscellaneous class, 2 parameters."""
    return b[0] * b[1] * x * (1 + b[1] * x) ** -1


def chwirut(b: Any, x: Any) -> Any:
    """Exponential class, 3 parameters."""
    return exp(-b[0] * x) / (b[1] + b[2] * x)


def lanczos(b: Any, x: Any) -> Any:
    """Exponential class, 6 parameters."""
    return b[0] * exp(-b[1] * x) + b[2] * exp(-b[3] * x) + b[4] * exp(-b[5] * x)


def gauss(b: Any, x: Any) -> Any:
    """Exponential class, 8 parameters."""
    peaks = b[2] * exp(-((x - b[3]) ** 2) / b[4] ** 2) + b[5] * exp(-((x - b[6]) ** 2) / b[7] ** 2)
    return b[0] * exp(-b[1] * x) + peaks


def danwood(b: Any, x: Any) -> Any:
    """Miscellaneous class, 2 parameters."""
    return b[0] * x ** b[1]


def kirby2(b: Any, x: Any) -> Any:
    """Rational class, 5 parameters."""
    return (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2)


def cubics(b: Any, x: Any) -> Any:
    """Rational class, 7 parameters."""
    return (b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3) / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3)


def nelson(b: Any, x1: Any, x2: Any) -> Any:
    """Exponential class, 3 parameters, of log[y]."""
    return b[0] - b[1] * x1 * exp(-b[2] * x2)


def mgh09(b: Any, x: Any) -> Any:
    """Rational class, 4 parameters."""
    return b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3])


def mgh10(b: Any, x: Any) -> Any:
    """Exponential class, 3 parameters."""
    return b[0] * exp(b[1] / (x + b[2]))


def mgh17(b: Any, x: Any) -> Any:
    """Exponential class, 5 parameters."""
    return b[0] + b[1] * exp(-x * b[3]) + b[2] * exp(-x * b[4])


def roszman1(b: Any, x: Any) -> Any:
    """Miscellaneous class, 4 parameters."""
    return b[0] - b[1] * x - atan(b[2] / (x - b[3])) / mp.pi


def enso(b: Any, x: Any) -> Any:
    """Miscellaneous class, 9 parameters."""
    turn = 2 * mp.pi * x
    year = b[1] * mp.cos(turn / 12) + b[2] * mp.sin(turn / 12)
    first = b[4] * cos(turn / b[3]) + b[5] * sin(turn / b[3])
    return b[0] + year + first + b[7] * cos(turn / b[6]) + b[8] * sin(turn / b[6])


def rat42(b: Any, x: Any) -> Any:
    """Exponential class, 3 parameters."""
    return b[0] / (1 + exp(b[1] - b[2] * x))


def rat43(b: Any, x: Any) -> Any:
    """Exponential class, 4 parameters."""
    return b[0] / (1 + exp(b[1] - b[2] * x)) ** (1 / b[3])


def eckerle4(b: Any, x: Any) -> Any:
    """Exponential class, 3 parameters."""
    return b[0] / b[1] * exp(mp.mpf("-0.5") * ((x - b[2]) / b[1]) ** 2)


def bennett5(b: Any, x: Any) -> Any:
    """Miscellaneous class, 3 parameters."""
    return b[0] * (b[1] + x) ** (-1 / b[2])


MODELS: dict[str, Callable[..., Any]] = {
    **{"Misra1a": misra1a, "Misra1b": misra1b, "Misra1c": misra1c, "Misra1d": misra1d, "BoxBOD": misra1a},
    **{"Chwirut1": chwirut, "Chwirut2": chwirut, "Lanczos1": lanczos, "Lanczos2": lanczos, "Lanczos3": lanczos},
    **{"Gauss1": gauss, "Gauss2": gauss, "Gauss3": gauss, "DanWood": danwood, "Kirby2": kirby2, "Hahn1": cubics},
    **{"Thurber": cubics, "Nelson": nelson, "MGH09": mgh09, "MGH10": mgh10, "MGH17": mgh17, "Roszman1": roszman1},
    **{"ENSO": enso, "Rat42": rat42, "Rat43": rat43, "Eckerle4": eckerle4, "Bennett5": bennett5},
}


def lines_of(name: str) -> list[str]:
    """The file of a data set."""
    return (FOLDER / f"{name}.dat").read_text(encoding="ascii").splitlines()


@functools.cache
def table(name: str) -> tuple[tuple[Any, ...], ...]:
    """The observations, response first, every number exact to the working precision at the first call."""
    lines = lines_of(name)
    head = max(i for i, line in enumerate(lines) if line.startswith("Data:"))
    return tuple(tuple(mp.mpf(item) for item in line.split()) for line in lines[head + 1 :] if line.strip())


def certificate(name: str) -> tuple[list[Any], list[Any], list[Any], Any]:
    """Start 1, start 2, certified parameters and certified residual sum of squares."""
    rows = [line.split("=")[1].split() for line in lines_of(name)[:60] if line.strip()[:1] == "b" and " =" in line[:8]]
    rss = next(line.split(":")[1] for line in lines_of(name) if line.startswith("Residual Sum of Squares"))
    first, second, best = ([mp.mpf(row[k]) for row in rows] for k in range(3))
    return first, second, best, mp.mpf(rss.strip())


def residuals(name: str) -> Callable[[Any, int], list[Any]]:
    """Residuals of a data set, model minus observation, as a function of parameters and their number."""
    model, rows = MODELS[name], table(name)
    if name == "Nelson":
        return lambda b, m: [model(b, *row[1:]) - mp.log(row[0]) for row in rows]
    return lambda b, m: [model(b, *row[1:]) - row[0] for row in rows]
