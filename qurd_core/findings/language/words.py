"""How numbers and findings are put into words: pure functions from numbers to text."""

import math
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal, NamedTuple

from qurd_core.findings.language.model_names import readable
from qurd_core.findings.language.obfuscation_names import aside
from qurd_core.statistics import Kind, allowed_below
from qurd_core.statistics.printed import fixed

Verdict = Literal["beats", "trails", "on par", "ahead", "behind", "not distinguished"]

# What one, and what several schemes do to the reference.
PHRASES: dict[Verdict, tuple[str, str]] = {
    "beats": ("beats", "beat"),
    "ahead": ("is ahead of", "are ahead of"),
    "on par": ("is on par with", "are on par with"),
    "behind": ("is behind", "are behind"),
    "trails": ("trails", "trail"),
    "not distinguished": ("does not differ significantly from", "do not differ significantly from"),
}

# Tasks as a listener understands them; links, exports and commands keep their names.
TASKS = {
    "all": "all tasks",
    "same": "exact copy",
    "quantize": "quantization",
    "finetune": "fine-tuning",
    "transfer": "transfer",
    "prune": "pruning",
    "probit_extraction": "probit extraction",
    "label_extraction": "label extraction",
    "adv_label_extraction": "adversarial label extraction",
    "labelfew": "label extraction, few images",
    "labeltrain": "label extraction, victim's images",
    "labelood": "label extraction, other photographs",
    "knockoff": "Knockoff extraction, other photographs",
    "datafree": "data-free extraction",
}
# Ways to hide a stolen model, as tasks above. What has no words, as an obfuscation of one's own, keeps its name.
HIDINGS = {
    "none": "not hidden",
    "finetune": "fine-tuning",
    "prune": "pruning",
    "filter_prune": "filter pruning",
    "qint8": "8-bit weights",
    "int4": "4-bit weights",
    "jpeg": "JPEG",
    "equalise": "equalising",
    "posterise": "posterising",
    "topk": "top-3 probits",
    "argmax": "label only",
    "rounding": "one decimal",
    "temperature": "temperature 4",
    "reverse_sigmoid": "reverse sigmoid",
    "adaptive_misinformation": "misinformation",
    "mad": "MAD",
    "modelguard_w": "ModelGuard-W",
    "modelguard_s": "ModelGuard-S",
    "smooth_mean": "smoothing (mean)",
    "smooth_vote": "smoothing (vote)",
}
_NO_WORDS = re.compile(rf"\b({'|'.join(name for name in TASKS if '_' in name or name.startswith('label'))})\b")


_SPLITS = {"train": "training", "test": "test"}
REVEALED = {"topk": "top-k labels", **{level: level for level in ("labels", "probits", "logits", "gradients")}}  # as said
TURN = 0.1  # change of a rate that turns a finding
SMALL = 5  # points up to which a gain is said to be only that


class Measured(NamedTuple):
    """A mean over query seeds with its standard deviation."""

    value: float
    sd: float
    seeds: int


def percent(share: float) -> str:
    """`74%`, for charts."""
    return f"{fixed(100 * share, 0)}%"


def whole(share: float) -> float:
    """The number that `percent` prints; NaN where there is none."""
    return share if math.isnan(share) else float(fixed(100 * share, 0))


def precise(share: float, sd: float = math.nan) -> str:
    """`74.2 ± 0.8 %`, for tables and hover labels."""
    spread = "" if math.isnan(sd) else f" ± {fixed(100 * sd, 1)}"
    return f"{fixed(100 * share, 1)}{spread} %"


def points(difference: float) -> str:
    """`+3.6 points`: a difference between two percentages is never a percentage."""
    number = fixed(100 * abs(difference), 1)
    sign = "" if float(number) == 0 else "−" if difference < 0 else "+"
    return f"{sign}{number} points"


def apart(difference: float, reference: str) -> str:
    """`67.3 points below AKH`."""
    number = fixed(abs(100 * difference), 1)
    return (
        f"level with {reference}"
        if float(number) == 0
        else (f"{number} points {'above' if difference > 0 else 'below'} {reference}")
    )


def turned(label: str, before: float, after: float, where: str) -> str:
    """The finding that hard unrelated models turn: `With hard unrelated models, AKH drops from 89% to 31% on ...`.

    Empty where the rate of the scheme hardly changes, or is not known.

    Args:
        before, after: its TPR without them and with them.
        where: `on patchwork-sac at 100 queries`.
    """
    if not before - after >= TURN:
        return ""
    return f"With hard unrelated models, {label} drops from {percent(before)} to {percent(after)} {where}"


def needs(access: str, reveal: str) -> str:
    """Why a scheme does not fit a suspect: `needs logits; the suspect reveals labels`.

    Args:
        reveal: one of `REVEALED`.
    """
    return f"needs {access}; the suspect reveals {REVEALED[reveal]}"


def hidden(access: str, chain: str, revealed: str) -> str:
    """Why a scheme has no rate behind obfuscations."""
    return f"needs {access}; behind {aside(chain)} the suspect reveals {revealed}"


def moved(label: str, before: float, after: float, chain: str, where: str, *, pool: bool) -> str:
    """What becomes of a scheme behind obfuscations: `Behind JPEG (quality 60), AKH drops from 89% to 84% on ...`.

    Args:
        before, after: its TPR without them and with them; NaN where there is none.
        where: `on patchwork-sac at 100 queries`.
        pool: unrelated models stand behind them, too.
    """
    start = f"{'With every suspect behind' if pool else 'Behind'} {aside(chain)}, {label}"
    if math.isnan(after):
        return f"{start} has no value {where}"
    if math.isnan(before):
        return f"{start} catches {percent(after)} {where}"
    if whole(before) == whole(after):
        return f"{start} stays at {percent(after)} {where}"
    return f"{start} {'rises' if after > before else 'drops'} from {percent(before)} to {percent(after)} {where}"


def at_worst(best: tuple[str, float, str], label: str, before: float, after: float, chain: str, where: str) -> str:
    """Which scheme stays highest, each behind what hurts it most, and what that is for another one.

    Args:
        best: the scheme, its TPR and its obfuscation.
        label, before, after, chain: the other scheme, its TPR without and with its obfuscation, and that; no chain where it
            has no value.
        where: `on patchwork-sac at 100 queries`.
    """
    name, value, hurt = best
    start = f"Behind the worst known for each scheme, {name} stays highest: {percent(value)} behind {aside(hurt)} {where}"
    if not chain or name == label:
        return start
    return f"{start}; {aside(chain)} hurts {label} most ({percent(before)} to {percent(after)})"


def left(number: int, every: int, reveal: str) -> str:
    """`111 of 500 combinations need no more than labels`; empty where all of them do."""
    return f"{number} of {every} combinations need no more than {REVEALED[reveal]}" if number < every else ""


def revealing(reveal: str) -> str:
    """` where the suspect reveals labels`, for headlines; nothing where that is logits or more, which most schemes need."""
    return "" if reveal in ("logits", "gradients") else f" where the suspect reveals {REVEALED[reveal]}"


def counted(number: int, noun: str) -> str:
    """`1 model`, `2 models`, `40 queries`, `343 other combinations`."""
    several = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number} {noun if number == 1 else several}"


def verdict(one: Measured, other: Measured) -> Verdict:
    """Whether one mean is apart from another by more than two standard errors over query seeds, on the same models."""
    gap = one.value - other.value
    error = math.sqrt(one.sd**2 / max(one.seeds, 1) + other.sd**2 / max(other.seeds, 1))
    # A spread that is not known (NaN, one seed) supports no claim, hence `not (... > ...)`.
    if not abs(gap) > 2 * error:
        return "not distinguished"
    return "ahead" if gap > 0 else "behind"


def headline(at: int, last: int, gain: float | None, caught: float | None) -> str:
    """What further queries bring to published schemes, by the median.

    Args:
        at, last: the budget that was chosen and the largest one.
        gain: median over the published schemes of the TPR at `last` minus that at `at`, or None where none has both.
        caught: their median TPR at `at`, or None.
    """
    if caught is None:
        return f"No published scheme has a value at {counted(at, 'query')}"
    if at >= last or gain is None:
        return f"With {at} queries, published schemes catch {percent(caught)} of stolen models (median)"
    whole = round(100 * gain)
    if whole == 0:
        return f"After {at} queries, published schemes gain no more (median)"
    if whole < 0:
        return f"After {at} queries, published schemes lose {counted(-whole, 'point')} (median)"
    only = "only " if whole <= SMALL else ""
    return f"After {at} queries, published schemes gain {only}{counted(whole, 'more point')} (median)"


def task(name: str) -> str:
    """A task in words. What has none, as a task of a benchmark of one's own or the name of a group, stays as it is."""
    return TASKS.get(name, name)


def hiding(name: str) -> str:
    """A way to hide a stolen model in words."""
    return HIDINGS.get(name, name)


def on_task(name: str) -> str:
    """` (fine-tuning)`, for headlines; nothing for all tasks together."""
    return "" if name == "all" else f" ({task(name)})"


def retold(text: str, lineages: Iterable[str] = ()) -> str:
    """A sentence with its tasks in words, where their names are none, and with readable names of models.

    Args:
        lineages: of the models that it may name.
    """
    for lineage in sorted(lineages, key=len, reverse=True):
        text = text.replace(lineage, readable(lineage))
    return _NO_WORDS.sub(lambda found: TASKS[found[0]], text)


def listed(names: Sequence[str]) -> str:
    """`A, B and C`; `A; B, b; C` where a name has a comma."""
    if len(names) == 1 or any("," in name for name in names):
        return "; ".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def tasks(names: Iterable[str]) -> str:
    """Tasks in words: `pruning, fine-tuning`."""
    said = [task(name) for name in names]
    return ("; " if any("," in name for name in said) else ", ").join(said)


def sampler(text: str) -> str:
    """A sampler as a sentence names it: `negative test images and pgd(eps=0.01)`."""
    seeds, _, craft = text.partition("->")
    rule, _, split = seeds.partition("(")
    images = " ".join(filter(None, (rule, _SPLITS.get(split.rstrip(")"), ""), "images")))
    return f"{images} and {craft}" if craft else images


def false_alarms(negatives: int, lineages: int, kind: Kind, task: str) -> str:
    """What five percent of the unrelated models means: `40 unrelated models, 40 lineages: 5 % = 2 models`.

    For all tasks together the paper's rule counts a model once per task that it serves, so 5 % is no number of models.
    """
    have = f"{counted(negatives, 'unrelated model')}, {counted(lineages, 'lineage')}"
    allowed = allowed_below(negatives if kind == "paper" else lineages, kind=kind)
    if allowed is None:
        return f"{have}: too few for the guaranteed rule"
    if kind == "paper" and task == "all":
        return f"{have}: threshold set at 5 % per task"
    if kind == "paper":
        return f"{have}: 5 % = {counted(allowed, 'model') if allowed else 'less than 1 model'}"
    return f"{have}: the guaranteed rule allows {counted(allowed, 'model') if allowed else 'none'} below the threshold"


def distance(value: float) -> str:
    """`0.42`, `0.040`, `0.0031`: two decimals, of small ones two digits."""
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:#.2g}"


def gap(label: str, budgets: tuple[int, int], gaps: tuple[float, float], gain: float) -> str:
    """Whether the gap between stolen and unrelated models shrinks with further queries, in one sentence.

    Args:
        budgets, gaps: at the start and at the end.
        gain: what the TPR gains meanwhile; NaN where it is not known.
    """
    before, after = map(distance, gaps)
    change = gaps[1] - gaps[0]
    moved = f"stays at {after}" if before == after else f"{'grows' if change > 0 else 'shrinks'} from {before} to {after}"
    rate = "" if math.isnan(gain) else f", and TPR@5% changes by {points(gain)}"
    return f"From {budgets[0]} to {budgets[1]} queries the gap between stolen and unrelated models by {label} {moved}{rate}."


def plain(text: str) -> str:
    """A name as Plotly shows it: names are data and never markup."""
    return escape(text, quote=False)
