"""Which single images tell a thief: on what the victim gets wrong, who repeats its very mistake. Without torch."""

import numpy as np
import pandas as pd

from qurd_core.records.bank import Bank

HALVES = ("chosen", "reported")
PER_CLASS = 2  # images of one true class: more of them would be one image many times
COLUMNS = ("image", "truth", "victim", *(f"{kind}_{half}" for half in HALVES for kind in ("stolen", "unrelated")))


def telling(bank: Bank, pairs: pd.DataFrame, victim: str, most: int = 10) -> tuple[pd.DataFrame, dict[str, int]]:
    """The images on which stolen and unrelated models differ most in how often they repeat the victim's mistake, at most
    `PER_CLASS` of a true class.

    Images are chosen by the difference of the two shares on one half of the models; what that half says of the images it
    chose is too good, so the other half is reported beside it. Unrelated models are halved by lineage. Stolen models are
    all of the victim's lineage: they are halved within each task.

    Args:
        pairs: with columns victim, suspect, kind, tasks and root; hard unrelated models and the victim itself are left out.
        most: number of images.

    Returns:
        rows of `COLUMNS`, the most telling first, and the number of models behind each share, by column. No row where the
        victim makes no mistake, or where a kind has too few models for two halves.
    """
    groups = halves(pairs, victim)
    counts = {name: len(models) for name, models in groups.items()}
    truth, own = bank.truth.astype(int), bank.of(victim).astype(int)
    wrong = np.flatnonzero(own != truth)
    if not len(wrong) or min(counts.values()) == 0:
        return pd.DataFrame(columns=list(COLUMNS)), counts
    # (n,) share of the models that answer like the victim on its mistakes.
    shares = {name: (bank.rows(models)[:, wrong] == own[wrong]).mean(0) for name, models in groups.items()}
    table = pd.DataFrame({"image": wrong, "truth": truth[wrong], "victim": own[wrong], **shares})[list(COLUMNS)]
    gap = table["stolen_chosen"] - table["unrelated_chosen"]
    # Ties go to the image that more stolen models agree on, then to the first.
    table = table.iloc[np.lexsort((wrong, -table["stolen_chosen"], -gap.round(9)))]
    few = table[table.groupby("truth").cumcount() < PER_CLASS]
    return few.head(most).reset_index(drop=True), counts


def halves(pairs: pd.DataFrame, victim: str) -> dict[str, list[str]]:
    """Stolen and unrelated suspects of a victim, each in two halves that the names alone decide."""
    own = pairs[(pairs["victim"] == victim) & (pairs["suspect"] != victim)].sort_values("suspect")
    stolen, unrelated = own[own["kind"] == "positive"], own[own["kind"] == "negative"]
    tasks = stolen["tasks"].map(lambda served: served[0])
    sides = {
        "stolen": stolen.groupby(tasks, sort=False).cumcount() + pd.factorize(tasks)[0],  # odd ones take turns
        "unrelated": pd.Series(pd.factorize(unrelated["root"], sort=True)[0], unrelated.index),
    }
    named = {"stolen": stolen["suspect"], "unrelated": unrelated["suspect"]}
    return {
        f"{kind}_{half}": named[kind][sides[kind] % 2 == number].tolist()
        for number, half in enumerate(HALVES)
        for kind in named
    }
