"""The table of answers that ships as an example: classifiers of scikit-learn on its digits, each 64 shares of ink.

Ten victims learned the truth of 60 rows each of one third. Thieves ask a victim about another third, or round what they ask
it; forty unrelated models learned the truth of 60 rows each of that third. All answer the last third.

    python -m qurd_core.benchmarks.own.digits

writes the table anew.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from qurd_core.benchmarks.registered import EXAMPLES
from qurd_core.files import note
from qurd_core.randomness import stream

VICTIMS, UNRELATED = 10, 40
ROWS = 60  # that a model learns
FEW = 100  # that a thief asks about if it asks about few
STEP = 0.25  # to a multiple of which a thief rounds what it asks
KINDS = ("forest", "tree", "linear", "neighbours", "bayes")
DECIMALS = 2  # of probits

Table = NDArray[np.float64]


class Third(NamedTuple):
    """Some rows.

    Attributes:
        x: (n,64) from 0 to 1.
        y: (n,) digits.
    """

    x: Table
    y: NDArray[np.int64]

    def some(self, seed: int, number: int = ROWS) -> "Third":
        """Rows drawn without repetition."""
        rows = _order(len(self.y), "some", seed)[:number]
        return Third(self.x[rows], self.y[rows])


def answers() -> pd.DataFrame:
    """A row per item and model: item, truth, model, role, lineage, label and probits."""
    mine, theirs, test = thirds()
    return pd.concat([_asked(*model, test) for model in _models(mine, theirs)], ignore_index=True)


def thirds() -> tuple[Third, Third, Third]:
    """What victims learn, what thieves and unrelated models learn, and what all answer."""
    from sklearn.datasets import load_digits  # here and below: whoever only reads benchmarks need not wait for it

    x, y = load_digits(return_X_y=True)
    return tuple(Third(x[rows] / 16, y[rows]) for rows in np.array_split(_order(len(y), "thirds"), 3))


def _order(number: int, *names: object) -> NDArray[np.int64]:
    """Numbers from 0 in an order that follows from names."""
    return torch.randperm(number, generator=stream(0, "digits", *names)).numpy()


def _models(mine: Third, theirs: Third) -> Iterator[tuple[str, str, str, Any]]:
    """Name, role, lineage and what gives the probits of some rows."""
    for number in range(VICTIMS):
        kind = KINDS[number % len(KINDS)]
        victim, lineage = _fitted(kind, mine.some(number), number), f"train({kind},mine{number})"
        yield f"victim {number}", "victim", lineage, partial(_probits, victim)
        for name, step, asked in _thieves(victim, theirs, number):
            yield f"victim {number}, {name}", "stolen", f"{lineage}->{step}", asked
    for number in range(UNRELATED):
        kind = KINDS[number % len(KINDS)]
        other = _fitted(kind, theirs.some(1_000 + number), number)
        yield f"unrelated {number}", "unrelated", f"train({kind},theirs{number})", partial(_probits, other)


def _thieves(victim: Any, theirs: Third, number: int) -> Iterator[tuple[str, str, Any]]:
    """Name, step and what gives the probits: students of the victim's labels or probits, and what stands before it."""
    from sklearn.ensemble import RandomForestRegressor

    some, few = theirs.some(2_000 + number, 400), theirs.some(3_000 + number, FEW)
    labels = victim.predict(some.x)
    for kind in ("forest", "linear"):
        student = _fitted(kind, Third(some.x, labels), number)
        yield f"labels, {kind}", f"label_extraction({kind})", partial(_probits, student)
    regressor = RandomForestRegressor(30, random_state=number).fit(some.x, _probits(victim, some.x))
    yield "probits, forest", "probit_extraction(forest)", regressor.predict
    student = _fitted("forest", Third(few.x, victim.predict(few.x)), number)
    yield "few labels, forest", "labelfew(forest)", partial(_probits, student)
    yield "rounded", f"quantize({STEP})", lambda x: _probits(victim, STEP * np.round(x / STEP))


def _fitted(kind: str, rows: Third, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    made = {
        "forest": lambda: RandomForestClassifier(10, max_depth=6, random_state=seed),
        "tree": lambda: DecisionTreeClassifier(max_depth=9, random_state=seed),
        "linear": lambda: LogisticRegression(C=0.03, max_iter=2000),
        "neighbours": lambda: KNeighborsClassifier(15),
        "bayes": lambda: GaussianNB(var_smoothing=0.01),
    }
    return made[kind]().fit(rows.x, rows.y)


def _probits(model: Any, x: Table) -> Table:
    """(n,10) probits of a classifier, 0 for digits that it never saw."""
    found = np.zeros((len(x), 10))
    found[:, model.classes_.astype(int)] = model.predict_proba(x)
    return found


def _asked(name: str, role: str, lineage: str, ask: Any, test: Third) -> pd.DataFrame:
    """What one model answers; probits are rounded as an API rounds them, so that they still name the label."""
    given = ask(test.x)
    label = given.argmax(1)
    probits = np.round(given / given.sum(1, keepdims=True), DECIMALS)
    places = np.arange(len(label))
    probits[places, label] = probits.max(1)
    about = {"item": [f"row {place}" for place in places], "truth": test.y, "model": name, "role": role, "lineage": lineage}
    return pd.DataFrame(about | {"label": label} | {f"p_{digit}": probits[:, digit] for digit in range(10)})


def write(path: Path) -> Path:
    """The table as Parquet."""
    table = answers()
    small = {name: "float32" for name in table if name.startswith("p_")} | dict.fromkeys(("truth", "label"), "int8")
    path.parent.mkdir(exist_ok=True)
    table.astype(small).to_parquet(path, compression="zstd", compression_level=19, index=False)
    return path


if __name__ == "__main__":
    note([write(EXAMPLES / "digits.parquet")])
