"""What all results share: the sentences that they rest on, and checks of what comes in."""

import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from numbers import Number

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qurd_core.errors import QurdError

# 0.05 * 60 and its like must not fall below the whole number that they are on paper.
SLACK = 1e-9

EXCHANGEABLE = (
    "The unrelated models are exchangeable with an unrelated suspect: same task and label set, similar accuracy, several "
    "architectures and several pre-training roots."
)
FIXED = "The scheme and its queries were fixed before the scores were seen."
TIES = "Ties only make fewer suspects flagged."


def check_scores(values: ArrayLike, what: str) -> NDArray[np.float64]:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1:
        raise QurdError(f"Expected {what} as one row of numbers. Got the shape {scores.shape}.")
    # NaN sorts last and would shift the threshold without a word.
    if np.isnan(scores).any():
        raise QurdError(
            f"Expected {what} to be numbers. Got NaN in {int(np.isnan(scores).sum())} of {len(scores)}: drop them."
        )
    return scores


def check_share(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise QurdError(f"Expected '{name}' between 0 and 1, both excluded. Got {value}.")


def fixed(value: float, places: int) -> str:
    """A number with so many decimals, halves away from zero; NaN is `nan`.

    The same quantity is printed alike wherever it comes from: what binary digits, single precision or six decimals in a file
    add or take away (28.849999999999998, 28.850001) is removed before it is rounded.
    """
    if math.isnan(value):
        return "nan"
    clean = Decimal(repr(round(float(value), 5)))
    return f"{clean.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):.{places}f}"


def percent(share: float) -> str:
    """Two significant digits: 5 %, 9.1 %, 0.1 %."""
    return f"{np.format_float_positional(100 * share, precision=2, fractional=False, trim='-')} %"


def ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def cell(value: object) -> str:
    """A value of a table as its text."""
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return fixed(value, 3)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple | np.ndarray) else str(value)


_ESCAPED = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "\n": " "}
_ESCAPED |= {"^": r"\textasciicircum{}", "|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}", "δ": r"$\delta$"}
_LATEX = str.maketrans(_ESCAPED)


def latex(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a LaTeX table for the package booktabs: names escaped, numbers right-aligned with three decimals.

    >>> print(latex([{"scheme": "noise->pgd | labels", "tpr_5%": 0.5}]))
    \\begin{tabular}{lr}
    \\toprule
    scheme & tpr\\_5\\% \\\\
    \\midrule
    noise-\\textgreater{}pgd \\textbar{} labels & 0.500 \\\\
    \\bottomrule
    \\end{tabular}
    """
    if not rows:
        return "% no row"
    names, table = list(rows[0]), [[None if _unknown(value) else value for value in row.values()] for row in rows]
    numeric = [all(value is None or isinstance(value, Number) for value in column) for column in zip(*table, strict=True)]
    lines = [" & ".join(cell(value).translate(_LATEX) for value in line) + r" \\" for line in [names, *table]]
    head = rf"\begin{{tabular}}{{{''.join('r' if one else 'l' for one in numeric)}}}"
    return "\n".join([head, r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}"])


def _unknown(value: object) -> bool:
    return isinstance(value, float | np.floating) and math.isnan(value)
