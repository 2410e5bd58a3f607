"""How well somebody told the stolen models of a challenge."""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from qurd_core.errors import QurdError
from qurd_core.files import alone, opened, read_json, write_json
from qurd_core.findings.language import words
from qurd_core.statistics.bootstrap import generator
from qurd_core.statistics.metrics import rates
from qurd_core.statistics.printed import fixed
from qurd_core.statistics.report import tpr_report
from qurd_core.statistics.rules import allowed_below
from qurd_core.suspects.challenge.making import ABOUT, PARTS, PUBLIC
from qurd_core.suspects.evidence import sha

ALPHA = 0.05
TRIES = "tries.json"  # beside the labels
HEAD = ["id", "score"]
BYTES = 10_000_000  # of a submission
MOST = 100  # tries beyond which the best of them is not simulated
_DRAWS = 4_000


@dataclass(frozen=True)
class Part:
    """How well one part was told.

    Attributes:
        tpr: share of the stolen models strictly above the threshold, the (k+1)-th highest score of an unrelated one.
        caught, of: stolen models.
        others: unrelated ones.
        k: of them that may lie above, 5 %.
        step: what one stolen model more is worth.
        tied: ids whose score is the threshold.
        kind: what `tpr` would be if ties counted as caught; if they do not, it is `tpr`.
        low, high: 95 % interval over other models.
        auc: chance that a stolen model is scored higher than an unrelated one.
    """

    name: str
    tpr: float
    caught: int
    of: int
    others: int
    k: int
    step: float
    threshold: float
    tied: tuple[str, ...]
    kind: float
    low: float
    high: float
    auc: float


@dataclass(frozen=True)
class Score:
    """What a submission is worth.

    Attributes:
        tries: submissions of the team so far, this one among them.
        notes: what goes with the numbers, a sentence each.
    """

    team: str
    parts: tuple[Part, ...]
    tries: int
    notes: tuple[str, ...]


def score(folder: Path, labels: Path, submission: Path, team: str, *, private: bool = False) -> Score:
    """Score a submission, and count it as a try of its team; the same file again is no other one.

    Args:
        private: tell the private part as well, after the end.

    Raises:
        QurdError: the labels are not those that were sealed, or the submission is not as it should be.
    """
    known = read_labels(folder, labels)
    data = _bytes(submission)
    given = read_submission(data, known["id"].tolist(), submission.name)
    parts = [_part(known, given, which) for which in PARTS if private or which == PUBLIC]
    tries = _counted(labels.parent / TRIES, team, sha(data))
    return Score(team, tuple(parts), tries, tuple(_notes(parts, tries)))


def read_labels(folder: Path, labels: Path) -> pd.DataFrame:
    """The labels of a challenge, once they are known to be those that were sealed.

    Raises:
        QurdError: a file cannot be read, or the labels are others.
    """
    try:
        sealed = read_json(folder / ABOUT, "Make the challenge again.")
        with opened(labels) as file:
            data = file.read()
    except OSError as error:
        raise QurdError(f"Expected a challenge in {folder} and its labels at {labels}: {error.strerror}.") from None
    if not isinstance(sealed, dict) or sha(data) != sealed.get("labels"):
        raise QurdError(
            f"The labels at {labels} are not those that were sealed in {folder / ABOUT}: one of the two changed."
        )
    return pd.read_csv(io.BytesIO(data.partition(b"\n")[2]), keep_default_na=False, dtype={"id": str, "lineage": str})


def read_submission(data: bytes, ids: list[str], name: str) -> dict[str, float]:
    """The score of every suspect.

    Args:
        ids: all that there are.
        name: of the file, said in errors.

    Raises:
        QurdError: the first line at fault, and what is wrong with it.
    """
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise QurdError(f"Cannot read {name} as CSV: {error}. Save it again, in UTF-8.") from None
    if not lines or lines[0] != HEAD:
        got = ",".join(lines[0])[:60] if lines else "nothing"
        raise QurdError(f"Expected the columns {','.join(HEAD)} in line 1 of {name}. Got {got}.")
    known, found = {*ids}, {}
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        where = f"line {number} of {name}"
        if len(line) != len(HEAD):
            raise QurdError(f"Expected an id and a score in {where}. Got {len(line)} values.")
        if line[0] not in known:
            raise QurdError(f"Expected an id of the challenge in {where}. Got '{line[0][:60]}'.")
        if line[0] in found:
            raise QurdError(f"Expected every id once. '{line[0]}' comes again in {where}.")
        try:
            value = float(line[1])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise QurdError(f"Expected a finite number as score in {where}. Got '{line[1][:60]}'.")
        found[line[0]] = value
    if missing := [one for one in ids if one not in found]:
        raise QurdError(f"Expected a score of every suspect in {name}. {len(missing)} have none, such as '{missing[0]}'.")
    return found


def _part(labels: pd.DataFrame, given: Mapping[str, float], which: str) -> Part:
    held = labels[labels["part"] == which]
    values = held["id"].map(given).to_numpy(float)
    return told(which, values, held["stolen"].to_numpy(bool), held["id"].tolist(), held["lineage"].tolist())


def told(name: str, values: np.ndarray, stolen: np.ndarray, ids: list[str], lineages: list[str]) -> Part:
    """The numbers of a part.

    Args:
        values: (n,) scores, high = stolen.
        stolen: (n,) whether each suspect is.
        lineages: (n,) first training of each: what is drawn anew for the interval.
    """
    far = -values  # a distance, as everywhere else
    found = rates(far[~stolen][:, None], far[stolen][:, None], alpha=ALPHA)
    k = allowed_below(int((~stolen).sum()), ALPHA, "paper")
    threshold = float(np.sort(values[~stolen])[::-1][k])
    tpr, of = float(found.tpr[0]), int(stolen.sum())
    tied = values == threshold
    table = pd.DataFrame(
        {"suspect": ids, "kind": np.where(stolen, "positive", "negative"), "lineage": lineages, "value": far}
    )
    table = table.assign(
        benchmark=name, scheme="submission", victim="victim", victim_lineage="victim", query_seed=0, budget=0
    )
    table["tasks"] = [["all stolen"]] * len(table)
    (report,) = tpr_report(table, rule="paper", alpha=ALPHA, tasks=["all"])
    return Part(
        name=name,
        tpr=tpr,
        caught=round(tpr * of),
        of=of,
        others=int((~stolen).sum()),
        k=k,
        step=1 / of,
        threshold=threshold,
        tied=tuple(one for one, is_tied in zip(ids, tied, strict=True) if is_tied),
        kind=float((values[stolen] >= threshold).mean()),
        low=report.ci[0],
        high=report.ci[1],
        auc=float(found.auc[0]),
    )


def best_of(tries: int, tpr: float, stolen: int, others: int) -> float:
    """What the best of several submissions that are equally good shows on average, if they err independently of one another:
    scores of stolen models are normal, and so are those of unrelated ones.

    Args:
        tpr: what each of them catches on average, from 0 to 1.
    """
    rng, k = generator(("best of", tries, stolen, others)), allowed_below(others, ALPHA, "paper")
    shift = norm.ppf(np.clip(tpr, 0.01, 0.99)) - norm.ppf((k + 1) / (others + 1))
    shown = np.empty((_DRAWS // tries + 1, tries))
    for row in shown:
        threshold = np.sort(rng.standard_normal((tries, others)))[:, ::-1][:, k]
        row[:] = (rng.standard_normal((tries, stolen)) + shift > threshold[:, None]).mean(1)
    return float(shown.max(1).mean())


def _bytes(path: Path) -> bytes:
    try:
        with opened(path) as file:
            data = file.read(BYTES + 1)
    except OSError as error:
        raise QurdError(f"Expected a submission at {path}: {error.strerror}.") from None
    if len(data) > BYTES:
        raise QurdError(f"Expected a submission of at most {BYTES:,} bytes. {path} has more.")
    return data


def _counted(path: Path, team: str, submission: str) -> int:
    """How many different submissions of a team were scored, this one among them."""
    with alone(path.with_suffix(".lock")):
        try:
            known: dict[str, Any] = read_json(path, "Remove it to count anew.")
        except OSError:
            known = {}
        every = known.setdefault(team, [])
        if submission not in every:
            every.append(submission)
            write_json(path, known, indent=1)
        return every.index(submission) + 1


def _notes(parts: list[Part], tries: int) -> list[str]:
    found = []
    for part in parts:
        if part.auc < 0.5:
            found.append(
                f"AUC of the {part.name} part {fixed(part.auc, 2)}: is the direction the other way? High means stolen here."
            )
        if kind := round((part.kind - part.tpr) * part.of):
            found.append(
                f"In the {part.name} part {words.counted(kind, 'stolen model')} with the very score of the threshold count"
                f" as missed: TPR {fixed(part.kind, 2)} if ties were kind."
            )
    public = parts[0]
    if tries > 1:
        best = best_of(min(tries, MOST), public.tpr, public.of, public.others)
        found.append(
            f"This is try {tries}: of {min(tries, MOST)} submissions that are as good as TPR {fixed(public.tpr, 2)} and err"
            f" independently, the best shows {fixed(best, 2)} on the public part. The private part counts."
        )
    return found
