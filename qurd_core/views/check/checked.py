"""What a check has left, from its file: verdicts, and what every model answered."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from string import ascii_uppercase
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qurd_core.files import read_json, write_json
from qurd_core.lineage import independent
from qurd_core.records.sealed import sha
from qurd_core.statistics.printed import SLACK
from qurd_core.statistics.sequential import peak_pvalues, peaks
from qurd_core.statistics.sides import closest
from qurd_core.statistics.verdicts import Count, Fit, Stop, Verdict

ENDING, EVIDENCE, AGREED = "verdict", "zip", "agreed"
AGAIN = "Check again: what was answered is not asked anew."
MODELS = ("model", "side", "root", "score", "agrees")
PAIRS = {"hard": Count, "thieves": Count, "fit": Fit}  # parts of a verdict that are more than a value


class Asks(NamedTuple):
    """What is still to be sent to a suspect behind an API.

    Attributes:
        suspect: its name.
        requests: how many at most.
        said: that, whom to, and what it costs, in words.
    """

    suspect: str
    requests: int
    said: str


@dataclass(frozen=True)
class Checked:
    """A question about suspects, as far as it was asked.

    Attributes:
        victim, suspects, scheme, budget, stop, level: the question.
        sent: queries of the budget that every suspect has answered.
        models: a row per unrelated, hard unrelated or suspected model with `MODELS`: side is `"unrelated"`, `"hard"` or
            `"suspect"`, score the distance (NaN before it is known), agrees a text of 0 and 1, a letter for every query so
            far; empty where the scheme counts no agreements.
        verdicts: in the order of the suspects; none before all queries are answered.
        notes: what else is to be known, a sentence each.
        seal: the seal number, if the question was sealed.
        unsealed: why it was not, as a sentence.
        asks: what waits for somebody to agree that it is sent.
        paid: what requests over a network have cost so far, in words.
    """

    victim: str
    suspects: tuple[str, ...]
    scheme: str
    budget: int
    stop: Stop
    level: float
    sent: int
    models: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    seal: str | None = None
    unsealed: str | None = None
    asks: tuple[Asks, ...] = ()
    paid: str = ""

    def write(self, path: Path) -> Path:
        """Publish it, sealed."""
        found = {name: value for name, value in vars(self).items() if name in self.__dataclass_fields__}
        found["models"] = _plain(self.models[[*MODELS]].to_dict("records"))
        found["verdicts"] = _plain([asdict(verdict) for verdict in self.verdicts])
        return write_json(path, found)

    @classmethod
    def read(cls, path: Path) -> "Checked | None":
        """What lies in a file; None where there is none.

        Raises:
            QurdError: it was altered.
        """
        if not path.is_file():
            return None
        found = read_json(path, AGAIN)
        models = pd.DataFrame(found["models"], columns=[*MODELS])
        found |= {name: tuple(found[name]) for name in ("suspects", "notes")}
        found["asks"] = tuple(Asks(*one) for one in found.get("asks", ()))  # which older ones do not have
        verdicts = tuple(map(_verdict, found["verdicts"]))
        return cls(**found | {"models": models.astype({"score": float}), "verdicts": verdicts})

    @property
    def done(self) -> bool:
        return bool(self.verdicts)

    @cached_property
    def _numbers(self) -> NDArray[np.int_]:
        return np.array(independent(self._unrelated["root"].tolist()), int)

    @property
    def _unrelated(self) -> pd.DataFrame:
        return self.models[self.models["side"] == "unrelated"]

    @property
    def lineages(self) -> int:
        """Independent lineages of unrelated models."""
        return len({*self._numbers.tolist()})

    @property
    def allowed(self) -> int:
        """How many unrelated lineages may be as close as a suspect that is called closer, -1 where none can be."""
        return math.floor(self.level / len(self.suspects) * (self.lineages + 1) + SLACK) - 1

    @property
    def dots(self) -> pd.DataFrame:
        """What is drawn: model, side, score, and for how many models it stands: of an unrelated lineage the closest one."""
        rows, numbers = self._unrelated.assign(lineage=self._numbers), self._numbers
        nearest = rows.sort_values("score", kind="stable").drop_duplicates("lineage").sort_index()
        sizes = nearest["lineage"].map(pd.Series(numbers).value_counts())
        others = self.models[self.models["side"] != "unrelated"].assign(of=1)
        return pd.concat([nearest.assign(of=sizes), others], ignore_index=True)[["model", "side", "score", "of"]]

    @property
    def threshold(self) -> float | None:
        """The distance below which a suspect is called closer; None where that is not what decides, or nobody can be."""
        if self.stop != "none" or self.allowed < 0 or self._unrelated["score"].isna().any():
            return None
        return float(np.sort(closest(self._unrelated["score"].to_numpy(float), self._numbers))[self.allowed])

    @property
    def has_path(self) -> bool:
        """Whether it is known how often models agree with the victim, query after query."""
        return bool(len(self.models)) and bool((self._unrelated["agrees"].str.len() > 0).all())

    @cached_property
    def paths(self) -> pd.DataFrame:
        """The largest evidence so far of every lineage, hard unrelated model and suspect after each query: rows of model,
        side, query, evidence (log10 E) and hits, the answers so far that are the victim's. An unrelated lineage has the path
        of its model with the highest peak.
        """
        rows = self._unrelated.assign(lineage=self._numbers)
        lowest = rows["agrees"].map(lambda bits: -float(_peaks(bits)[-1]))
        nearest = rows.assign(lowest=lowest).sort_values("lowest", kind="stable").drop_duplicates("lineage")
        drawn = pd.concat([nearest.sort_index(), self.models[self.models["side"] != "unrelated"]])
        parts = [
            pd.DataFrame(
                {
                    "model": row.model,
                    "side": row.side,
                    "query": np.arange(1, len(row.agrees) + 1),
                    "evidence": _peaks(row.agrees) / math.log(10),
                    "hits": np.cumsum([bit == "1" for bit in row.agrees]),
                }
            )
            for row in drawn.itertuples()
            if row.agrees
        ]
        return pd.concat(parts, ignore_index=True)

    @property
    def bar(self) -> float | None:
        """The evidence (log10 E) above which a suspect is called closer with `--stop peak`; None where nobody can be."""
        if self.allowed < 0:
            return None
        table = self.paths[self.paths["side"] == "unrelated"]
        return float(np.sort(table.groupby("model")["evidence"].max())[::-1][self.allowed])

    @property
    def unnamed(self) -> dict[str, str]:
        """What suspects are called while nobody is to know them: letters, in an order that follows from the seal number."""
        order = sorted(self.suspects, key=lambda name: sha(f"{self.seal} {name}".encode()))
        return {name: f"Model {letter}" for name, letter in zip(order, ascii_uppercase, strict=False)}

    def so_far(self, suspect: str) -> NDArray[np.float64]:
        """(sent,) p-value of a suspect after each query, by the peaks of its evidence."""
        rows = self._unrelated
        pool = np.stack([_peaks(bits) for bits in rows["agrees"]])
        (own,) = self.models.loc[self.models["model"] == suspect, "agrees"]
        return peak_pvalues(_peaks(own), pool, rows["root"].tolist())


def agree(stem: Path, asks: Sequence[Asks]) -> None:
    """Note beside a question that so much may be sent, once."""
    write_json(stem.with_suffix(f".{AGREED}"), {"requests": {one.suspect: one.requests for one in asks}})


def was_agreed(stem: Path, asks: Sequence[Asks]) -> bool:
    """Whether somebody has agreed that so much is sent; what was agreed to is used up by that."""
    path = stem.with_suffix(f".{AGREED}")
    try:
        allowed = read_json(path, AGAIN)["requests"]
    except (OSError, KeyError):
        return False
    path.unlink(missing_ok=True)
    return all(one.requests <= allowed.get(one.suspect, 0) for one in asks)


def _peaks(bits: str) -> NDArray[np.float64]:
    return peaks(np.array([[bit == "1" for bit in bits]]))[0]


def _plain(value: Any) -> Any:
    """Values as JSON has them: what is no number is null."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _verdict(found: Mapping[str, Any]) -> Verdict:
    numbers = {name: math.nan if found[name] is None else found[name] for name in ("score", "p", "p_adjusted")}
    parts = {name: found[name] if found[name] is None else kind(*found[name]) for name, kind in PAIRS.items()}
    return Verdict(**{**found, **numbers, **parts, "assumptions": tuple(found["assumptions"])})
