"""What the Leaderboard draws and says: the combinations that a suspect allows, and how they stand against the reference."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from qurd_core.evaluation.leaderboard import LEVELS, controls, twins
from qurd_core.plots import budget, words
from qurd_core.plots.budget import REFERENCE, Rule
from qurd_core.plots.theme import BASELINES, SCHEMES
from qurd_core.plots.words import Measured

REVEALED = {"labels": "labels", "topk": "top-k labels", "probits": "probits", "logits": "logits"}  # as said in a sentence


def board(points: pd.DataFrame, schemes: pd.DataFrame, at: int, reveal: str = "logits") -> pd.DataFrame:
    """The combinations at one budget that the suspect's answers allow.

    Args:
        points: from `budget.curves`.
        schemes: from `records.schemes`.
        reveal: what the suspect reveals, one of `LEVELS`.

    Returns:
        the rows with `level`, `control` (whether it is no fingerprint), `gap` (to the reference) and `verdict` (None for the
        reference and where there is no value).
    """
    return judged(allowed(points[points["budget"] == at].astype({"label": object}), schemes, reveal))


def allowed(rows: pd.DataFrame, schemes: pd.DataFrame, reveal: str) -> pd.DataFrame:
    """The rows of schemes that need no more than the suspect reveals, with `level` and `control`."""
    level = rows["scheme"].map(dict(zip(schemes["scheme"], schemes["level"], strict=True)))
    return rows.assign(level=level, control=rows["scheme"].isin(controls(schemes)))[~(level > LEVELS[reveal])]


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of one task and budget with `gap` to the reference and `verdict`."""
    reference = rows.loc[rows["label"] == REFERENCE, ["value", "spread", "seeds"]]
    if reference.empty or math.isnan(reference["value"].iloc[0]):
        return rows.assign(gap=math.nan, verdict=None)
    other = Measured(*reference.iloc[0])
    found = [
        None if label == REFERENCE or math.isnan(value) else words.verdict(Measured(value, sd, seeds), other)
        for label, value, sd, seeds in rows[["label", "value", "spread", "seeds"]].itertuples(index=False)
    ]
    return rows.assign(gap=rows["value"] - other.value, verdict=pd.Series(found, rows.index, object))


def published(rows: pd.DataFrame) -> pd.DataFrame:
    """The published schemes that have a value."""
    names = [name for name in SCHEMES if name not in BASELINES]
    return rows[rows["label"].isin(names) & rows["value"].notna()]


def unnamed(rows: pd.DataFrame, schemes: pd.DataFrame) -> pd.DataFrame:
    """The combinations that nobody published, best first: no names, no published scheme on other outputs, no controls."""
    known = twins(schemes)
    same = {known.get(scheme) for scheme in schemes.loc[schemes["name"].notna(), "scheme"]}
    same |= _nothing_new(rows)
    found = rows[rows["name"].isna() & ~rows["control"] & ~rows["scheme"].isin(same) & rows["value"].notna()]
    return found.sort_values(["value", "auc", "level", "scheme"], ascending=[False, False, True, True])


def _nothing_new(rows: pd.DataFrame) -> set[str]:
    """The combinations with a craft that has changed no query so far: another name for the same without it."""
    known = rows.set_index("scheme")[["value", "auc", "spread"]]
    plain_of = {scheme: scheme.replace("->cutmix", "") for scheme in known.index if "->cutmix" in scheme}
    return {scheme for scheme, bare in plain_of.items() if bare in known.index and known.loc[scheme].equals(known.loc[bare])}


def headline(rows: pd.DataFrame, where: str) -> str:
    """How many published schemes beat the reference.

    Args:
        where: `on patchwork-sac at 100 queries`.
    """
    found, told = published(rows), published(rows)["verdict"].value_counts()
    total, beats = len(found), int(told.get("beats", 0))
    if not total:
        return f"No published scheme has a value {where}"
    if found["verdict"].isna().any():
        return f"{REFERENCE} has no value {where}, so nothing can be compared with it"
    if total == 1:
        verdict = PHRASES[found["verdict"].iloc[0]]
        return f"{found['label'].iloc[0]}, the only published scheme left, {verdict} {REFERENCE} {where}"
    schemes = f"{total} published schemes"
    if beats == total:
        return f"All {schemes} beat {REFERENCE} {where}"
    if beats:
        return f"{beats} of {schemes} {'beats' if beats == 1 else 'beat'} {REFERENCE} {where}"
    verb = "can be told from" if told.get("not distinguished", 0) == total else "beats"
    return f"None of {schemes} {verb} {REFERENCE} {where}"


PHRASES = {"beats": "beats", "trails": "trails", "not distinguished": "cannot be told from"}


def place(benchmark: str, task: str, at: int) -> str:
    """`on patchwork-sac at 100 queries`, for headlines."""
    return f"on {benchmark}{'' if task == 'all' else f' ({task})'} at {words.counted(at, 'query')}"


def gained(gap: float, verdict: str | None) -> str:
    """A combination against the reference: `beats AKH by 3.2 points`; empty where there is nothing to compare."""
    if not isinstance(verdict, str):
        return ""
    number = words.points(gap)
    if verdict == "not distinguished":
        return f"cannot be told from {REFERENCE} ({number})"
    return f"{verdict} {REFERENCE} by {number.lstrip('+−')}"


def subline(points: pd.DataFrame, rows: pd.DataFrame, at: int, rule: Rule, reveal: str) -> str:
    """What the values rest on, and how many combinations the suspect's answers leave."""
    every = int((points["budget"] == at).sum())
    left = f"{len(rows)} of {every} combinations need no more than {REVEALED[reveal]}"
    return " · ".join([budget.subline(points, rule), left if len(rows) < every else words.counted(every, "combination")])


def left_out(points: pd.DataFrame, rows: pd.DataFrame, schemes: pd.DataFrame, at: int, reveal: str) -> dict[str, str]:
    """The named schemes that are not drawn, with the reason."""
    all_rows = points[points["budget"] == at].set_index("label")
    access = dict(zip(schemes["scheme"], schemes["access"], strict=True))
    known, values = twins(schemes), rows.set_index("scheme")["value"].to_dict()
    drawn, found = set(rows.loc[rows["value"].notna(), "label"]), {}
    for name in SCHEMES:
        if name in drawn or name not in all_rows.index:
            continue
        row = all_rows.loc[name]
        if name not in set(rows["label"]):
            weaker = values.get(known.get(row["scheme"]), math.nan)
            instead = "" if math.isnan(weaker) else f"; on probits it catches {words.percent(weaker)}"
            found[name] = f"needs {access[row['scheme']]}; the suspect reveals {REVEALED[reveal]}{instead}"
        else:
            found[name] = f"not recorded: {row['reason'] or 'no value at this budget'}"
    return found


def budgets(points: pd.DataFrame) -> list[int]:
    """The recorded budgets."""
    return sorted(points["budget"].unique().tolist())


def best(rows: pd.DataFrame, at: int) -> str:
    """What the best of some combinations is worth.

    Args:
        rows: from `unnamed`.
    """
    first, among = rows.iloc[0], words.counted(len(rows), "combination")
    against = gained(first["gap"], first["verdict"]) or "has nothing to be compared with"
    found = f"The best of {among} that nobody published {against} at {words.counted(at, 'query')}."
    return f"{found} It was picked by this very number, so expect less on other models."


def standing(rows: pd.DataFrame, label: str, at: int) -> str:
    """What one combination catches, and how it stands against the reference."""
    found = rows[rows["label"] == label]
    if found.empty:
        return "It needs more than this suspect reveals."
    row = found.iloc[0]
    if math.isnan(row["value"]):
        return f"No value at {words.counted(at, 'query')}: {row['reason'] or 'not recorded'}."
    against = "control, no fingerprint" if row["control"] else gained(row["gap"], row["verdict"])
    return f"{words.precise(row['value'], row['spread'])} at {words.counted(at, 'query')}{': ' * bool(against)}{against}."


def together(boards: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The boards of several benchmarks as one table."""
    return pd.concat([rows.assign(benchmark=name) for name, rows in boards.items()], ignore_index=True)


def alt(rows: pd.DataFrame, benchmark: str, others: Sequence[str]) -> str:
    """The chart in one sentence, for those who do not see it."""
    named = rows[rows["label"].isin(SCHEMES) & rows["value"].notna()].sort_values("value", ascending=False)
    said = ", ".join(f"{row.label} {words.percent(row.value)}" for row in named.itertuples())
    beside = f", beside {words.listed(others)}" if others else ""
    return f"A strip of {len(rows)} dots on {benchmark}{beside}: TPR at 5% false alarms. Named: {said or 'none'}."
