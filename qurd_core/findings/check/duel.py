"""What a duel of two unnamed suspects says, act by act."""

from collections.abc import Mapping, Sequence

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.statistics.printed import percent
from qurd_core.views.check.checked import Checked

ROLES = {  # by the kind of the pair; whoever stands in none is of unknown origin
    "positive": "made from the victim",
    "negative": "trained on its own, on other images",
    "hard": "trained on its own, on the victim's images",
}
UNKNOWN = "of unknown origin"
SEALED = "The question is sealed before either of the two is asked"


def models(checked: Checked, kinds: Mapping[str, str]) -> str:
    """The first act: who is there.

    Args:
        kinds: of the pair of the victim with each suspect that stands in one.
    """
    victim, known = readable(checked.victim), sorted(kinds.get(name, "") for name in checked.suspects)
    if known == ["negative", "positive"]:
        return f"Two unnamed models: one was made from {victim}, and one was not"
    return f"Two unnamed models, and one question: is either too close to {victim}?"


def play(checked: Checked) -> str:
    """The queries go out."""
    return f"Which of the two answers {words.counted(checked.budget, 'query')} like {readable(checked.victim)}?"


def verdict(checked: Checked) -> str:
    """What was said of the two, still unnamed."""
    parts: list[str] = []
    for one in sorted(checked.verdicts, key=lambda one: (one.said != "closer", checked.unnamed[one.suspect])):
        who, of = checked.unnamed[one.suspect], words.counted(one.lineages, "unrelated lineage")
        if one.said == "closer":
            than = f"nearly all of {of}" if one.rank else f"all {of}"
            parts.append(f"{who} is closer to {readable(one.victim)} than {than}")
        elif one.said == "refused":
            parts.append(f"no verdict on {who}")
        else:
            parts.append(f"{who} is not distinguished" + f" from {of}" * (not parts))
    return "; ".join(parts)


def opened(checked: Checked, kinds: Mapping[str, str], faults: Sequence[str]) -> str:
    """The seal is opened.

    Args:
        kinds: as for `models`.
        faults: what does not match, a sentence each.
    """
    if faults:
        return f"The evidence does not match: {faults[0]}"
    victim, made = (
        readable(checked.victim),
        [letter for name, letter in _by_letter(checked) if kinds.get(name) == "positive"],
    )
    others = [letter for _, letter in _by_letter(checked) if letter not in made]
    if any(name not in kinds for name in checked.suspects):
        return "The seal matches"
    if not made or not others:
        return f"The seal matches: {'both were' if made else 'neither was'} made from {victim}"
    return f"The seal matches: {made[0]} was made from {victim}, {others[0]} was not"


def checks(checked: Checked, number: str, queries: int, models: int, answers: int) -> list[str]:
    """What was compared while the page was drawn, a sentence each.

    Args:
        number: SHA-256 of the seal as it was opened.
        queries, models, answers: in the tables of the evidence.
    """
    same = "the number that was shown" if number == checked.seal else f"not {checked.seal}, which was shown"
    return [
        f"SHA-256 of the opened seal: {number}, {same}.",
        f"{words.counted(queries, 'query')} and the answers of {words.counted(models, 'known model')} are the sealed ones.",
        f"{words.counted(answers, 'answer')} of the two form one chain that begins with the seal number.",
    ]


def rows(checked: Checked, kinds: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
    """Letter, name, role and verdict of both."""
    found = {one.suspect: one for one in checked.verdicts}
    said = {"closer": "closer", "not_distinguished": "not distinguished", "refused": "no verdict"}
    return [
        (
            letter,
            readable(name),
            ROLES.get(kinds.get(name, ""), UNKNOWN),
            said[found[name].said] + ("" if found[name].said == "refused" else f", p {percent(found[name].p_adjusted)}"),
        )
        for name, letter in _by_letter(checked)
    ]


def running(hits: Mapping[str, int], query: int, queries: int) -> str:
    """What stands over the chart after so many queries.

    Args:
        hits: answers so far that are the victim's, by letter.
    """
    counts = ", ".join(f"{letter} {number}" for letter, number in hits.items())
    return f"Query {query} of {queries}. Same answer as the victim: {counts}."


def alt(paths: pd.DataFrame, names: Mapping[str, str]) -> str:
    """The chart in words, for those who do not see it."""
    last = paths.groupby("model", sort=False)["evidence"].last()
    parts = [f"{letter} {last[name]:.1f}" for name, letter in names.items()]
    return f"Evidence of agreement (log10 E) of two unnamed models, query after query. At the end: {words.listed(parts)}."


def _by_letter(checked: Checked) -> list[tuple[str, str]]:
    return sorted(checked.unnamed.items(), key=lambda item: item[1])
