"""Who was made from whom, read off lineages: the pairs of a benchmark that somebody brings.

A model from which another one was made is a victim. It and everything made from it are its stolen models; the task is the
name of the last step. A model that was merged out of several is stolen from each of them. Models that share no first
training are unrelated, and hard if a training differs from the victim's by its seed only. Whatever else shares a first
training (a parent, a sibling) stands in no pair, as in ModelReuse. Neither does a model of unknown origin, whose lineage
names no training: it might be a thief.
"""

from collections.abc import Container, Iterator, Mapping, Sequence

from qurd_core.errors import QurdError, unknown
from qurd_core.grammar import Call, Chain
from qurd_core.lineage import MERGE, TRAININGS, Lineage
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
        others = [name for name in _strangers(victim, lineages) if lineages[name].origin_is_known]
        pairs += [Pair(victim, name, _kind(lineages[victim], lineages[name]), tasks) for name in others]
    return tuple(pairs)


def lineage_twice(lineages: Mapping[str, Lineage]) -> Iterator[str]:
    """Which models have one lineage, a sentence each."""
    named: dict[Lineage, str] = {}
    for name, lineage in lineages.items():
        if lineage in named:
            yield (
                f"The models '{named[lineage]}' and '{name}' have the same lineage '{lineage}'. Tell them apart, for example"
                " by seed=1."
            )
        named[lineage] = name


def no_pairs(lineages: Mapping[str, Lineage]) -> Iterator[str]:
    """Why lineages alone give no benchmark, a sentence each."""
    pairs = pairs_by_lineage(lineages)
    if not pairs:
        yield (
            "No model was made from another one. A lineage says so with an arrow: 'train(forest,mine)' is the victim of"
            " 'train(forest,mine)->prune(0.5)'. Or say what models are: role: victim for yours, role: unrelated for models"
            " that were not stolen, role: suspect for those you ask about."
        )
    for victim in dict.fromkeys(pair.victim for pair in pairs):
        kinds = [pair.kind for pair in pairs if pair.victim == victim]
        if "negative" not in kinds:
            yield f"'{victim}' has no unrelated model. {_why_none(victim, lineages, kinds.count('hard'))}."


def questions(lineages: Mapping[str, Lineage], victims: Sequence[str], judged: Container[str]) -> Iterator[str]:
    """What lineages leave open, a sentence each: models of unknown origin, and words that may be models.

    Args:
        judged: the models that stand in a pair.
    """
    unknown_origin = {name for victim in victims for name in _strangers(victim, lineages)}
    strange = [name for name in lineages if name in unknown_origin and not lineages[name].origin_is_known]
    left_out = [name for name in strange if name not in judged]
    if left_out:
        yield (
            f"Of unknown origin: {_some(left_out)}, whose lineage names no training. Such a model counts as unrelated to no"
            f" victim and sets no threshold. {_SAY_IT}."
        )
    for name, lineage in lineages.items():
        for call in lineage.chain.calls:
            meant = [value for value in call.args if value in lineages and value != name]
            if meant and call.name not in (*TRAININGS, MERGE):
                yield (
                    f"'{meant[0]}' in the lineage of '{name}' is the name of a model, too, and counts as a word. If '{name}'"
                    f" was made from that model, write its lineage in quotes, or {Call(MERGE, (meant[0],))} as a step."
                )


def read_lineage(model: str, text: str) -> Lineage:
    """
    Raises:
        QurdError: the text is no lineage; the sentence names the model.
    """
    try:
        return Lineage.parse(text)
    except QurdError as error:
        raise QurdError(f"Cannot read the lineage of the model '{model}': {error}") from None


def read_lineages(texts: Mapping[str, str]) -> dict[str, Lineage]:
    """The lineages of all models of a benchmark, with the lineage in place of every name that a merge gives.

    Raises:
        QurdError: a text is no lineage, or what is merged is no model of the benchmark.
    """
    written = {model: read_lineage(model, text) for model, text in texts.items()}
    return {model: _resolved(model, written, ()) for model in written}


def lineage_faults(texts: Mapping[str, str]) -> Iterator[str]:
    """What keeps texts from being lineages of the models of a benchmark, a sentence each."""
    written, wrong = {}, False
    for model, text in texts.items():
        try:
            written[model] = read_lineage(model, text)
        except QurdError as error:
            wrong = True
            yield str(error)
    for model in () if wrong else written:
        try:
            _resolved(model, written, ())
        except QurdError as error:
            yield str(error)


_SAY_IT = "Write how it was trained, if you know it, as in train(resnet,theirs)"


def _resolved(model: str, written: Mapping[str, Lineage], within: tuple[str, ...]) -> Lineage:
    """The lineage of a model with those of the models that it merges.

    Args:
        within: the models whose merges led here.
    """
    first = written[model].chain.calls[0]
    if len(first.args) > 1 and first.name not in (*TRAININGS, MERGE) and written.keys() - {model} >= set(first.args):
        raise QurdError(
            f"Expected the lineage of '{model}' to begin with a training or with {MERGE}: '{first}' names models. Write"
            f" {Call(MERGE, first.args, first.options)} if it was made from them."
        )

    def find(name: str) -> Lineage:
        if name not in written:
            raise QurdError(
                f"Cannot read the lineage of the model '{model}': {unknown('model that it merges', name, written)} Or write"
                " its lineage in quotes."
            )
        if name in (*within, model):
            raise QurdError(f"The model '{name}' is merged into itself. Correct the lineage of '{model}'.")
        return _resolved(name, written, (*within, model))

    return written[model].resolved(find)


def _stolen(victim: str, lineages: Mapping[str, Lineage], named: Mapping[str, str]) -> dict[str, str]:
    """The victim and every model that was made from it, with its task."""
    made = {victim: SAME}
    for name, lineage in lineages.items():
        if name != victim and lineage.descends_from(lineages[victim]):
            made[name] = named.get(lineage.last.name, lineage.last.name)
    return made


def _strangers(victim: str, lineages: Mapping[str, Lineage]) -> list[str]:
    """The models that share no first training with a victim."""
    roots = set(lineages[victim].roots)
    return [name for name, lineage in lineages.items() if roots.isdisjoint(lineage.roots)]


def kind_by_lineage(victim: Lineage, model: Lineage) -> str | None:
    """Whether a model is unrelated to a victim, or hard; None where they share a first training."""
    return _kind(victim, model) if set(victim.roots).isdisjoint(model.roots) else None


def _kind(victim: Lineage, suspect: Lineage) -> str:
    alike = {_recipe(root) for root in victim.roots} & {_recipe(root) for root in suspect.roots}
    return "hard" if alike else "negative"


def _recipe(root: Lineage) -> str:
    """A first training without its seed."""
    training = root.last
    seedless = tuple(option for option in training.options if option[0] != "seed")
    return str(Chain((Call(training.name, training.args, seedless),)))


def _why_none(victim: str, lineages: Mapping[str, Lineage], hard: int) -> str:
    nameless = [name for name in _strangers(victim, lineages) if not lineages[name].origin_is_known]
    if nameless:
        return f"Of unknown origin: {_some(nameless)}, whose lineage names no training. {_SAY_IT}"
    if hard:
        return (
            f"The {hard} others differ from it by their seed only, so they count as hard: say in their lineage what other"
            " data they learnt from"
        )
    return "Add models that were trained on their own"


def _some(names: Sequence[str]) -> str:
    return f"'{names[0]}'" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
