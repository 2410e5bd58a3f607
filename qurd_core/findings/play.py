"""What Play says, after every query."""

import numpy as np
import pandas as pd

from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.schemes import REFERENCE
from qurd_core.statistics import Kind
from qurd_core.views.play import Duel, Trial

CALLED = {"stolen": "stolen", "innocent": "unrelated"}  # on screen; links and exported columns have the other names


def headline(scheme: str, rows: pd.DataFrame, sent: int) -> str:
    """What is about to be asked, or what came of it where all queries have been sent.

    Args:
        rows: from `evaluation.play.Trial.rows`.
    """
    queries = len(rows)
    if sent < queries:
        if scheme == REFERENCE:
            return f"Which suspect repeats {words.counted(queries, 'mistake')} of the victim?"
        return f"Which suspect answers {words.counted(queries, 'random image')} like the victim?"
    last, after = rows.iloc[-1], f"With {words.counted(queries, 'query')} {scheme}"
    if np.isnan(last["threshold"]):
        return f"{after} has too few unrelated models for a threshold"
    stolen, innocent = (ruled(last, side) for side in CALLED)
    found = {"caught": "catches the stolen model", "missed": "misses the stolen model"}[stolen]
    joint = "and" if (stolen, innocent) in (("caught", "cleared"), ("missed", "a false alarm")) else "but"
    return f"{after} {found} {joint} {'clears' if innocent == 'cleared' else 'raises a false alarm on'} the unrelated one"


def subline(duel: Duel, trial: Trial, rule: Kind) -> str:
    """Who is asked, and what the threshold rests on."""
    unrelated = "hard unrelated" if duel.innocent in trial.named("hard") else "unrelated"
    below = words.false_alarms(trial.unrelated, trial.lineages, rule, "all")
    return f"stolen: {readable(duel.stolen)} · {unrelated}: {readable(duel.innocent)} · {below}"


def verdict(rows: pd.DataFrame) -> str:
    """What the last query leaves of both suspects, in one line that a stage has room for.

    Args:
        rows: from `evaluation.play.Trial.rows`.
    """
    last = rows.iloc[-1]
    sent = words.counted(int(last["query"]), "query")
    if np.isnan(last["threshold"]):
        shares = " and ".join(f"the {CALLED[side]} model on {words.percent(last[f'distance_{side}'])}" for side in CALLED)
        return f"After {sent} {shares} disagree with the victim. There are too few unrelated models for a threshold."
    stolen, innocent = (f"{words.percent(last[f'distance_{side}'])}: {ruled(last, side)}" for side in CALLED)
    return (
        f"Of {sent} the stolen model disagrees on {stolen}; the unrelated one on {innocent}. "
        f"Threshold: {words.percent(last['threshold'])}."
    )


def alt(rows: pd.DataFrame) -> str:
    """The chart in words, for those who do not see it."""
    return f"Queries sent one by one to a stolen and to an unrelated model, and how often each disagrees. {verdict(rows)}"


def ruled(last: pd.Series, side: str) -> str:
    flagged = last[f"distance_{side}"] < last["threshold"]
    return {
        ("stolen", True): "caught",
        ("stolen", False): "missed",
        ("innocent", True): "a false alarm",
        ("innocent", False): "cleared",
    }[side, bool(flagged)]
