"""What models are to whoever brings them: roles, where somebody says them, else what lineages say.

A model of unknown origin is a suspect: it stands in no pair and calibrates nothing, so that whatever is computed of a
benchmark is the same with and without it. Only `qurd_core.suspects` asks about it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from qurd_core.benchmarks.own.kinship import SAME, kind_by_lineage, lineage_twice, no_pairs, pairs_by_lineage
from qurd_core.errors import QurdError, unknown
from qurd_core.grammar import Call
from qurd_core.lineage import Lineage
from qurd_core.types import Pair

VICTIM, STOLEN, UNRELATED, HARD, SUSPECT, FAILED = ROLES = ("victim", "stolen", "unrelated", "hard", "suspect", "failed")
NAMELESS = (SUSPECT, FAILED)  # the roles that need no lineage
_INHERITED = {VICTIM: STOLEN, STOLEN: STOLEN, UNRELATED: UNRELATED, HARD: HARD}  # by what was made from such a model


@dataclass(frozen=True)
class Cast:
    """Who stands against whom, and about whom somebody may ask.

    Attributes:
        pairs: of victims, stolen and unrelated models.
        models: names of those that are a victim, stolen or unrelated, or might be by their lineage.
        suspects: names of models of unknown origin.
        notes: what follows from roles and lineages together, a sentence each.
    """

    pairs: tuple[Pair, ...]
    models: tuple[str, ...]
    suspects: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def cast(lineages: Mapping[str, Lineage], roles: Mapping[str, str]) -> Cast:
    """Who stands against whom.

    Args:
        lineages: of every model; of suspects and failed thefts they are ignored.
        roles: of the models that have one. Where none has, lineages alone decide.
    """
    if not roles:
        return Cast(pairs_by_lineage(lineages), tuple(lineages))
    every = _roles_of_all(lineages, roles)
    pairs, notes = [], []
    for victim in _having(every, VICTIM):
        own = lineages[victim]
        stolen = [name for name in _having(every, STOLEN) if lineages[name].descends_from(own)]
        alone = not _having(every, UNRELATED, HARD)
        pairs += [Pair(victim, victim, "positive", (SAME,))] * (alone or bool(stolen))
        pairs += [Pair(victim, name, "positive", (lineages[name].last.name,)) for name in stolen]
    tasks = tuple(dict.fromkeys(task for pair in pairs for task in pair.tasks))
    for victim in _having(every, VICTIM):
        for name in _having(every, UNRELATED, HARD):
            kind = HARD if every[name] == HARD else kind_by_lineage(lineages[victim], lineages[name])
            if kind is None:
                kind = HARD
                notes.append(f"'{name}' shares its first training with the victim '{victim}', so it counts as hard for it.")
            pairs.append(Pair(victim, name, kind, tasks))
    suspects, failed = _having(every, SUSPECT), _having(every, FAILED)
    if suspects:
        notes.append(f"{len(suspects)} suspect(s): they are asked about and calibrate nothing.")
    if failed:
        notes.append(f"{len(failed)} failed theft(s), such as '{failed[0]}': they stand in no pair.")
    if len(every) == len(_having(every, VICTIM)):
        notes.append(
            f"'{next(iter(every))}' stands alone. Add unrelated models, and suspects to ask about, or have unrelated models"
            " and thieves made with 'forge'."
        )
    by_victim = sorted(pairs, key=lambda pair: list(every).index(pair.victim))
    return Cast(tuple(by_victim), tuple(name for name in every if every[name] not in NAMELESS), suspects, tuple(notes))


def faults(lineages: Mapping[str, Lineage], roles: Mapping[str, str]) -> Iterator[str]:
    """What keeps lineages and roles from giving a benchmark, a sentence each."""
    if not roles:
        yield from lineage_twice(lineages)
        yield from no_pairs(lineages)
        return
    wrong = [role for role in roles.values() if role not in ROLES]
    if wrong:
        yield str(unknown("role", wrong[0], ROLES))
        return
    every = _roles_of_all(lineages, roles)
    for name in (name for name in lineages if name not in every):
        yield (
            f"'{name}' has neither a role nor an arrow. Write role: unrelated if you know that it was not stolen, role:"
            " suspect if you do not."
        )
    yield from lineage_twice({name: lineages[name] for name in every if every[name] not in NAMELESS})
    victims = _having(every, VICTIM)
    if not victims:
        yield f"No model has the role {VICTIM}. Give it to the one that is yours."
    for name in (name for name in every if every[name] in (STOLEN, UNRELATED, HARD)):
        origin = [victim for victim in victims if lineages[name].descends_from(lineages[victim])]
        if every[name] == STOLEN and not origin and victims:
            yield (
                f"'{name}' is called stolen, but its lineage descends from no victim. Write it with an arrow, as in"
                f" {lineages[victims[0]]}->finetune."
            )
        if every[name] != STOLEN and origin:
            yield (
                f"'{name}' is called {every[name]}, but its lineage descends from the victim '{origin[0]}'. Correct one of"
                " the two."
            )


def nameless(role: str, model: str) -> str:
    """What stands for the lineage of a model whose role needs none."""
    return str(Call(role, (model,)))


def without_lineage(roles: Mapping[str, str]) -> QurdError | None:
    """The error where models lack the lineage that their role needs.

    Args:
        roles: of the models without one.
    """
    needing = [name for name, role in roles.items() if role not in NAMELESS]
    if not needing:
        return None
    return QurdError(
        f"Expected a lineage of '{needing[0]}', which is called {roles[needing[0]]}: how it was trained, as in"
        f" train(resnet,theirs,seed=3). Models that share a first training count once ({len(needing)} such model(s))."
    )


def _roles_of_all(lineages: Mapping[str, Lineage], roles: Mapping[str, str]) -> dict[str, str]:
    """The role of every model, in the order of `lineages`; who has none inherits it from the nearest ancestor."""
    found = {}
    for name, lineage in lineages.items():
        if name in roles:
            found[name] = roles[name]
            continue
        above = [other for other in roles if roles[other] in _INHERITED and lineage.descends_from(lineages[other])]
        if above:
            steps = {one: sum(lineages[one].descends_from(lineages[other]) for other in above) for one in above}
            found[name] = _INHERITED[roles[max(steps, key=steps.__getitem__)]]
    return found


def _having(roles: Mapping[str, str], *wanted: str) -> tuple[str, ...]:
    return tuple(name for name, role in roles.items() if role in wanted)
