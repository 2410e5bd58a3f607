"""Who was made from whom, read off lineages: the pairs of a benchmark that somebody brings.

A model from which another one was made is a victim. It and everything made from it are its stolen models; the task is the
name of the last step. Models with another first training are unrelated, and hard if that training differs from the victim's
by its seed only. Whatever else shares the first training (a parent, a sibling) stands in no pair, as in ModelReuse.
"""

from collections.abc import Iterator, Mapping

from qurd_core.errors import QurdError
from qurd_core.grammar import Call
from qurd_core.lineage import Lineage
from qurd_core.types import Pair

SAME = "same"


def pairs_by_lineage(lineages: Mapping[str, Lineage], named: Mapping[str, str] | None = None) -> tuple[Pair, ...]:
    """Every pair that the lineages of some models give, by victim; stolen ones first.

    Args:
        named: tasks of steps that are called otherwise.
    """
    families = {name: _stolen(name, lineages, named or {}) for name in lineages}
    stolen = {victim: made for victim, made in families.items() if len(made) > 1}
    tasks = tuple(dict.fromkeys(task for found in stolen.values() for task in found.values()))
    pairs = []
    for victim in stolen:
        pairs += [Pair(victim, name, "positive", (task,)) for name, task in stolen[victim].items()]
        root = lineages[victim].root
        others = [name for name in lineages if lineages[name].root != root]
        pairs += [Pair(victim, name, _kind(root, lineages[name].root), tasks) for name in others]
    return tuple(pairs)


def faults(lineages: Mapping[str, Lineage]) -> Iterator[str]:
    """What keeps lineages from giving a benchmark, a sentence each."""
    named: dict[Lineage, str] = {}
    for name, lineage in lineages.items():
        if lineage in named:
            yield (
                f"The models '{named[lineage]}' and '{name}' have the same lineage '{lineage}'. Tell them apart, for example"
                " by seed=1."
            )
        named[lineage] = name
    pairs = pairs_by_lineage(lineages)
    if not pairs:
        yield (
            "No model was made from another one. A lineage says so with an arrow: 'train(forest,mine)' is the victim of"
            " 'train(forest,mine)->prune(0.5)'."
        )
    for victim in dict.fromkeys(pair.victim for pair in pairs):
        kinds = [pair.kind for pair in pairs if pair.victim == victim]
        if "negative" not in kinds:
            hard = kinds.count("hard")
            why = (
                f"The {hard} others differ from it by their seed only, so they count as hard: say in their lineage what"
                " other data they learnt from"
                if hard
                else "Add models that were trained on their own"
            )
            yield f"'{victim}' has no unrelated model. {why}."


def read_lineage(model: str, text: str) -> Lineage:
    """
    Raises:
        QurdError: the text is no lineage; the sentence names the model.
    """
    try:
        return Lineage.parse(text)
    except QurdError as error:
        raise QurdError(f"Cannot read the lineage of the model '{model}': {error}") from None


def _stolen(victim: str, lineages: Mapping[str, Lineage], named: Mapping[str, str]) -> dict[str, str]:
    """The victim and every model that was made from it, with its task."""
    made = {victim: SAME}
    for name, lineage in lineages.items():
        if name != victim and lineage.descends_from(lineages[victim]):
            made[name] = named.get(lineage.last.name, lineage.last.name)
    return made


def _kind(victim: Lineage, suspect: Lineage) -> str:
    return "hard" if _recipe(victim.last) == _recipe(suspect.last) else "negative"


def _recipe(training: Call) -> Call:
    """A first training without its seed."""
    return Call(training.name, training.args, tuple(option for option in training.options if option[0] != "seed"))
