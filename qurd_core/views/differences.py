"""Where a victim and a suspect differ, and which mistakes they share: from recorded labels, without torch."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qurd_core.akh import counts_to_deltas
from qurd_core.records.bank import Bank


@dataclass(frozen=True)
class SharedMistake:
    """A wrong answer that two models give to images of one class.

    Attributes:
        truth, answer: names of the class and of the answer.
        made: how often the victim gives it.
        repeated: how often the suspect gives it to the same images.
        images: (repeated,) those images, as items of the bank.
    """

    truth: str
    answer: str
    made: int
    repeated: int
    images: NDArray[np.int_]


def by_class(bank: Bank, victim: str, suspect: str) -> pd.DataFrame:
    """delta and delta_C of two models for the images of each class.

    Returns:
        rows of name, images, differ, wrong (the victim's mistakes), differ_wrong, delta and delta_c, which is NaN for a
        class without mistakes.
    """
    ours, theirs = bank.rows([victim, suspect])
    truth, classes = bank.truth, len(bank.classes)
    cell = 4 * (ours == theirs) + 2 * (ours == truth) + (theirs == truth)
    counts = np.bincount(truth.astype(int) * 8 + cell, minlength=8 * classes).reshape(classes, 2, 2, 2)
    images, differ = counts.sum(axis=(1, 2, 3)), counts[:, 0].sum(axis=(1, 2))
    wrong, differ_wrong = counts[:, :, 0].sum(axis=(1, 2)), counts[:, 0, 0].sum(axis=1)
    delta_c = np.full(classes, np.nan)
    if (wrong > 0).any():
        delta_c[wrong > 0] = counts_to_deltas(counts[wrong > 0]).delta_c
    columns = {"images": images, "differ": differ, "wrong": wrong, "differ_wrong": differ_wrong}
    return pd.DataFrame({"name": bank.classes, **columns, "delta": differ / np.maximum(images, 1), "delta_c": delta_c})


def shared_mistakes(bank: Bank, victim: str, suspect: str, most: int) -> list[SharedMistake]:
    """The wrong answers of the victim that the suspect repeats most often, commonest first."""
    ours, theirs = bank.rows([victim, suspect])
    kinds = bank.truth.astype(int) * len(bank.classes) + ours
    wrong = ours != bank.truth
    made = np.bincount(kinds[wrong], minlength=len(bank.classes) ** 2)
    repeated = np.bincount(kinds[wrong & (ours == theirs)], minlength=len(made))
    commonest = np.lexsort([-made, -repeated])[:most]
    return [
        SharedMistake(
            truth=bank.classes[kind // len(bank.classes)],
            answer=bank.classes[kind % len(bank.classes)],
            made=int(made[kind]),
            repeated=int(repeated[kind]),
            images=np.flatnonzero(wrong & (ours == theirs) & (kinds == kind)),
        )
        for kind in commonest
        if repeated[kind]
    ]
