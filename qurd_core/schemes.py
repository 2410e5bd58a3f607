"""Schemes: a sampler, a representation and a detector; the names of published ones; which parts go together."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Literal

from qurd_core.access import Access
from qurd_core.catalogue import register_components
from qurd_core.declarations import FEATURES, D, Story
from qurd_core.errors import QurdError, unknown
from qurd_core.grammar import Call, Chain, Expression, Mixture, Value, parse, parse_chain
from qurd_core.registry import Component, Registry, crafts, detectors, representations, seed_rules

Family = Literal["photographs", "adversarial", "boundary", "gradients", "integrity"]
FAMILIES: dict[Family, str] = {  # what published schemes look at, in words
    "photographs": "photographs, blended or masked",
    "adversarial": "adversarial images",
    "boundary": "boundaries and hinges",
    "gradients": "gradients of the suspect",
    "integrity": "integrity of the weights",
}


@dataclass(frozen=True)
class Named:
    """A published scheme, or a baseline.

    Attributes:
        scheme: its text in the grammar.
        source: who published it.
        family: what it looks at, one of `FAMILIES`.
        idea: what it does and why that should betray a thief, in two sentences.
        reconstruction: what had to be chosen here because the source does not give it, in a sentence; empty where nothing.
        queries: how many its paper advertises, in words.
        cost: what making the queries and reading the answers takes, in words.
        fails: where it does not tell a thief, in a sentence.

    >>> NAMED["AKH"].scheme
    'negative(test) | labels | hamming'
    """

    scheme: str
    source: str
    family: Family
    idea: str
    reconstruction: str = ""
    queries: str = ""
    cost: str = ""
    fails: str = ""


NAMED = {
    "AKH": Named(
        "negative(test) | labels | hamming",
        "Godinot et al. 2025 (the QuRD paper's baseline)",
        "photographs",
        "Models that are right are all alike; each is wrong in its own way. So send only images that the victim gets wrong,"
        " and count how often the suspect gives another answer.",
    ),
    "Random": Named(
        "uniform(test) | labels | hamming",
        "Godinot et al. 2025 (the QuRD paper's lower reference)",
        "photographs",
        "Send ordinary images and count how often the suspect gives another answer than the victim. Good models agree on"
        " most of them whether they are related or not.",
    ),
    "IPGuard": Named(
        "uniform(train)->boundary | labels | hamming",
        "Cao, Jia, Gong 2021",
        "boundary",
        "Push images just over the victim's decision boundary. A copy has the same boundary and changes its answer there"
        " too.",
    ),
    "ModelDiff": Named(
        "uniform(train)->pgd | pairwise(of=logits) | cosine",
        "Li et al. 2021, as the QuRD paper runs it",
        "adversarial",
        "Pair each image with one disturbed so that the victim errs, and measure how far its outputs move. A copy is moved"
        " by the same pairs in the same proportions.",
    ),
    "SAC": Named(
        "negative(train)->cutmix | listwise(of=logits) | l2",
        "Guan, Liang, He 2022, as the QuRD paper runs it",
        "photographs",
        "Compare the answers to many images with one another instead of one by one. Whoever copied the victim finds the same"
        " images alike.",
    ),
    "ZestOfLIME": Named(
        "uniform(train)->superpixels | lime(of=logits) | l2",
        "Jia et al. 2022, as the QuRD paper runs it, with images cut by SLIC",
        "photographs",
        "Hide parts of an image at random and fit which parts the answer rests on. A copy looks at the same parts.",
    ),
    "FBI": Named(
        "uniform(test) | rank | mutual_information",
        "Maho, Furon, Le Merrer 2023",
        "photographs",
        "Note at which rank each model puts the true class of ordinary images. Two related models share information about"
        " these ranks, two unrelated models hardly any.",
    ),
    "FBI:labels": Named(
        "uniform(test) | rank(k=1) | mutual_information",
        "Maho, Furon, Le Merrer 2023, their variant for models that reveal a label only",
        "photographs",
        "Note whether each model's label of ordinary images is right. Two related models share information about where they"
        " err, two unrelated ones hardly any.",
    ),
    "ZestOfLIME:authors": Named(
        "uniform(train)->superpixels(segmentation=quickshift) | lime(of=logits) | l2",
        "Jia et al. 2022, with their own segmentation",
        "photographs",
        "As ZestOfLIME, with images cut into parts as its authors cut them. Small or plain images then have one or two"
        " parts, so that most masked versions of an image are the same query.",
    ),
    "DeepJudge": Named(
        "certain(right,by=gini)->evasion | correct | accuracy_gap",
        "Chen et al. 2022, its black-box part (RobD)",
        "adversarial",
        "Take test images of which the victim is most certain and disturb them until it errs. A copy errs on them too, so it"
        " is as little robust against them.",
        reconstruction="The authors' code leaves the threshold of its votes open, so the two rules of this program judge;"
        " and seeds come in a slightly noisy order, because theirs is the same for every repetition.",
        queries="1,000 seeds",
        cost="10 gradients of the victim per seed, one label per query",
        fails="It calls a brittle unrelated model a copy and a copy that was trained adversarially none: it ignores which"
        " wrong label is given.",
    ),
    "DeepJudge:projected": Named(
        "certain(right,by=gini)->evasion(project=true) | correct | accuracy_gap",
        "Chen et al. 2022, with steps that stay within eps of the seed, as in the textbook",
        "adversarial",
        "As DeepJudge, with images that stay within 0.1 of their seeds. The authors' own may end 0.4 away, because their"
        " code bounds the start and not the steps.",
        reconstruction="As DeepJudge, and the projection is not in the authors' code.",
        queries="1,000 seeds",
        cost="10 gradients of the victim per seed, one label per query",
        fails="As DeepJudge; and fewer seeds survive.",
    ),
    "DeepJudge:probits": Named(
        "certain(right,by=gini)->evasion | probits | jensen_shannon",
        "Chen et al. 2022, its second black-box metric (JSD)",
        "adversarial",
        "As DeepJudge, with the divergence between the probabilities of victim and suspect. A copy gives the same wrong"
        " class with the same confidence.",
        reconstruction="As DeepJudge.",
        queries="1,000 seeds",
        cost="10 gradients of the victim per seed, one row of probabilities per query",
        fails="Answers that were rounded, smoothed or perturbed move it; both models must have the same classes.",
    ),
    "DeepFoolF": Named(
        "uniform(train)->deepfool | labels | hamming",
        "Wang, Chang 2021",
        "boundary",
        "Push images by the shortest way just over the victim's nearest decision boundary. A copy has the boundary in the"
        " very same place and gives the same label there.",
        reconstruction="Whether its authors aim for the nearest class or for a chosen one was not at hand: this is the"
        " reading towards the nearest.",
        queries="a number that was not at hand",
        cost="10 gradients of the victim per seed and round, 2 to 5 rounds, one label per query",
        fails="Its points lie next to the boundary: a copy that moved it a little answers like anybody else.",
    ),
    "SSF": Named(
        "uniform(train)->sensitive | labels | hamming",
        "He, Zhang, Lee 2019",
        "integrity",
        "Make images whose answers change as soon as a weight of the last layer changes. It tests integrity: an untouched"
        " copy is at distance 0, and whoever changed the model, a fine-tuned copy as well as an unrelated model, is far.",
        reconstruction="The paper's text was not at hand: steps, radius and the units that are counted as active are chosen"
        " here, the rest is that of the authors' code.",
        queries="fewer than 10",
        cost="100 gradients of the victim per seed, of which every fourth is kept; one label per query",
        fails="A thief who fine-tunes, prunes or extracts looks unrelated, as it is meant to: it tells whether a model was"
        " changed, not whose it is.",
    ),
    "ModelGif": Named(
        "uniform(train)->paths | gradient_field | cosine",
        "Song et al. 2023",
        "gradients",
        "Accumulate each model's gradients along the way from grey to an image, for the class that it gives this image. A"
        " copy rests its answer on the same pixels at every point of the way.",
        reconstruction="The authors take the images on which 20 of the unrelated models that are judged differ most from the"
        " victim, and 50 points; here images are drawn uniformly, with 10 points and the image itself.",
        queries="8 to 512 images with 50 gradients each",
        cost="no gradient of the victim to make queries; one gradient of the suspect per query",
        fails="It needs gradients of the suspect, which no service gives; with few images it is worse than chance against"
        " extraction, and rounded, compressed or randomised inputs break it.",
    ),
    "AFA-like": Named(
        "uniform(train)->erosion | labels | hamming",
        "after Zhao et al. 2020 (AFA)",
        "adversarial",
        "Push images into a wrong class on copies of the victim that were eroded at random. What fools all of these should"
        " fool a stolen model, which is another altered copy.",
        reconstruction="Of AFA only the abstract was at hand: erosion, attack and filter are chosen here, and the size of"
        " the change (0.1) was tuned by how many seeds survive the filter, about three of eight.",
        queries="a number that was not at hand",
        cost="160 gradients of the victim per seed, of which fewer than half are kept; one label per query",
        fails="Extraction with labels and adversarial training move the boundaries that it rests on.",
    ),
    "hinge-probe": Named(
        "noise->hinges | bend(of=logits) | cosine",
        "inspired by Pan et al. 2021 (TAFA)",
        "boundary",
        "Find points where a unit of the victim's first layer switches on, and compare how outputs bend there. Weights that"
        " were copied have their hinges in the same places.",
        reconstruction="Of TAFA only the abstract was at hand, so this is another scheme with the same idea, and not to be"
        " quoted as TAFA.",
        queries="a number that was not at hand",
        cost="no gradients; 48 answers of the victim per group, three answers of the suspect per group",
        fails="Models that were trained again or extracted have other hinges, and rounded answers hide them: only leaked and"
        " lightly changed copies are told.",
    ),
    "ModelDiff:original": Named(
        "uniform(train)->divergence | pairwise(of=logits) | cosine",
        "Li et al. 2021, with the attack of their code",
        "adversarial",
        "As ModelDiff, with images disturbed so that each output moves away from the mean of all outputs. A copy is moved"
        " by the same pairs in the same proportions.",
        reconstruction="The authors craft on the derived model and judge by rank; here the victim crafts and a threshold"
        " judges.",
        queries="200, that is 100 pairs",
        cost="50 gradients of the victim per pair, two rows of logits per pair",
        fails="Label extraction; and it gets worse with more queries.",
    ),
    "SAC:original": Named(
        "uniform(test)->corner_cutmix | listwise(of=logits) | l1",
        "Guan, Liang, He 2022, SAC-m as in their code",
        "photographs",
        "As SAC, with test images that got a small box of another one near a corner, and mean absolute differences. Whoever"
        " copied the victim finds the same images alike.",
        reconstruction="The authors blend the first hundred images of the set; here images are drawn for each repetition.",
        queries="100",
        cost="no gradients, one row of logits per query",
        fails="It gets worse with more queries, and it sees no permutation of the classes.",
    ),
    "accuracy": Named(
        "uniform(test) | correct | accuracy",
        "control: lower accuracy = thief",
        "photographs",
        "Suspect whoever is less accurate. It looks at no answer of the victim: what it catches says how much a benchmark"
        " gives away by quality alone.",
    ),
}

ALIASES = {"ModelDiff:qurd": "ModelDiff", "SAC:qurd": "SAC"}  # as the QuRD paper runs them, which is what the names mean
VARIANT = ":"  # parts the name of a published scheme from that of its variant
BASELINES = REFERENCE, RANDOM = "AKH", "Random"  # the QuRD paper's; the first is what others are compared with
PLAIN_HEADS = "labels | hamming", "probits | l1"  # what answers of little and of more access are compared by
CONTROL = "accuracy"  # what is no fingerprint
PUBLISHED = tuple(name for name in NAMED if name not in (*BASELINES, CONTROL) and VARIANT not in name)
# The names that have a colour, in the order in which charts and tables show them. Schemes to come have their place already.
CHARTED = (*BASELINES, "SAC", "ModelDiff", "IPGuard", "ZestOfLIME", "FBI", "ModelGif", "MetaV", "DeepJudge", "FCAE")
CHARTED += ("AFA-like", "hinge-probe", "FUAP", "DeepFoolF", "SSF")
VARIANTS = {name: name.partition(VARIANT)[0] for name in NAMED if VARIANT in name}  # each beside its scheme
ORDER = tuple(name for known in CHARTED for name in (known, *(one for one in VARIANTS if VARIANTS[one] == known)))
PAPER = "paper"
GROUPS = {PAPER: "the paper’s", **FAMILIES}  # what a chart or table sets apart of all published schemes, in words
MOST_MARKED = 6  # schemes and combinations that stand out at once, besides the baselines
_PAPERS = ("SAC", "ModelDiff", "IPGuard", "ZestOfLIME", "FBI")


def grouped(group: str) -> tuple[str, ...]:
    """The schemes of a group, in the order of charts: those of a family with their variants beside them.

    Args:
        group: one of `GROUPS`.

    >>> grouped("boundary")
    ('IPGuard', 'hinge-probe', 'DeepFoolF')
    """
    if group == PAPER:
        return _PAPERS
    return tuple(name for name in ORDER if name in NAMED and name not in BASELINES and NAMED[name].family == group)


@dataclass(frozen=True)
class Scheme:
    """A combination of parts, in canonical form.

    Attributes:
        seeds, craft: the two halves of the sampler; of a mixture those of its first part.
        representation, detector: the rest.
        mixed: of a mixture of samplers, the scheme of each alone and its share.

    >>> scheme = Scheme.parse("SAC")
    >>> str(scheme), scheme.name, str(scheme.access)
    ('negative(train)->cutmix | listwise(of=logits) | l2', 'SAC', 'logits')
    """

    seeds: Call
    craft: Call
    representation: Call
    detector: Call
    mixed: tuple[tuple["Scheme", int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Scheme":
        """Read a named scheme or `sampler | representation | detector`.

        Raises:
            QurdError: an unknown name, a wrong parameter, or parts that do not go together, with the reason.
        """
        scheme = cls.read(text)
        if scheme.reason:
            raise QurdError(f"'{scheme}' does not go together: {scheme.reason}.")
        return scheme

    @classmethod
    def read(cls, text: str) -> "Scheme":
        """As `parse`, without checking that the parts go together. Where no craft is written, it is the natural one."""
        text = ALIASES.get(text, text)
        parts = parse(NAMED[text].scheme if text in NAMED else text).parts
        if isinstance(parts[0], Mixture):
            return _mixed(parts)
        if any(isinstance(part, Mixture) for part in parts):
            raise QurdError(f"Expected '@' in the sampler only, as in 'negative(test)@50 + noise@50'. Got '{text}'.")
        if len(parts) == 1 and len(parts[0].calls) == 1 and parts[0].calls[0].name not in seed_rules:
            raise unknown("scheme", text, NAMED)
        if len(parts) != 3 or len(parts[0].calls) > 2 or len(parts[1].calls) + len(parts[2].calls) != 2:
            raise QurdError(f"Expected 'seed rule->craft | representation | detector' or a named scheme. Got '{text}'.")
        seeds, *craft = parts[0].calls
        return cls(
            seed_rules.canonical(seeds),
            crafts.canonical(craft[0] if craft else Call(_natural_craft())),
            representations.canonical(parts[1].calls[0]),
            detectors.canonical(parts[2].calls[0]),
        )

    @classmethod
    def of_sampler(cls, sampler: str) -> "Scheme":
        """The scheme that looks at the answers to a sampler's queries as the reference does: that goes with all of them."""
        return cls.parse(f"{sampler} | {cls.parse(REFERENCE).head}")

    def __str__(self) -> str:
        return str(Expression((self.sampler, Chain((self.representation,)), Chain((self.detector,)))))

    @property
    def ingredients(self) -> tuple[tuple["Scheme", int], ...]:
        """The schemes whose queries it sends, and their shares: itself unless it is mixed."""
        return self.mixed or ((self, 1),)

    def needed(self, budget: int) -> list[int]:
        """Queries that each ingredient must give for a budget, with those of a group more."""
        whole = sum(share for _, share in self.mixed)
        return [-(-budget * share // whole) + one.group_size for one, share in self.mixed]

    @property
    def sampler(self) -> Chain | Mixture:
        """The canonical sampler: the natural craft is not written."""
        if self.mixed:
            chains, shares = zip(*((one.sampler, share) for one, share in self.mixed), strict=True)
            return Mixture(chains, shares)
        return Chain((self.seeds,) if self.natural else (self.seeds, self.craft))

    @property
    def head(self) -> str:
        """What looks at the answers: `representation | detector`."""
        return f"{self.representation} | {self.detector}"

    @property
    def name(self) -> str | None:
        """The published name, or None."""
        return _names().get(str(self))

    @property
    def label(self) -> str:
        """The name if it has one, else the text."""
        return self.name or str(self)

    @property
    def split(self) -> str:
        """The seed set: `train`, `test` or `noise`."""
        return split_of(self.seeds)

    @property
    def access(self) -> Access:
        """What the suspect must reveal."""
        component = representations[self.representation.name]
        return component.access(component.bind(self.representation))

    @property
    def group_size(self) -> int:
        """Queries of one group, which a budget buys together; of a mixture those of the first group that is sent."""
        if self.mixed:
            return min(self.mixed, key=lambda part: part[0].group_size / part[1])[0].group_size
        component = crafts[self.craft.name]
        return component.group_size(component.bind(self.craft))

    @property
    def nested(self) -> bool:
        """Whether the queries at a small budget are a prefix of those at a large one."""
        if self.mixed:
            return True
        return seed_rules[self.seeds.name].declares.nested and crafts[self.craft.name].declares.nested

    @property
    def natural(self) -> bool:
        """Whether its queries are the seed images as they are."""
        if self.mixed:
            return all(one.natural for one, _ in self.mixed)
        return crafts[self.craft.name].declares.natural

    @property
    def sends_seeds(self) -> bool:
        """Whether the seed images themselves are sent first, or mixed with others."""
        if self.mixed:
            return any(one.sends_seeds for one, _ in self.mixed)
        component = crafts[self.craft.name]
        tops_up = component.declares.tops_up
        return self.natural or bool(tops_up and component.bind(self.craft)[tops_up])

    @property
    def counts_missing(self) -> bool:
        """Whether a missing answer is as far from the victim's as any answer can be."""
        parts = representations[self.representation.name], detectors[self.detector.name]
        return all(part.declares.counts_missing for part in parts)

    @property
    def counts_agreements(self) -> bool:
        """Whether its distance is the share of queries on which two models name different classes."""
        counted = Scheme.parse(REFERENCE)
        return (self.representation, self.detector) == (counted.representation, counted.detector)

    @property
    def goes_round(self) -> bool:
        """Whether the craft starts again at the first seed when the seed set has run out."""
        return not self.mixed and crafts[self.craft.name].declares.tops_up is not None

    def seeds_per_part(self, queries: int) -> int:
        """Seeds that one call of the craft takes, when a part holds about that many queries."""
        return max(1, queries // self.group_size)

    def sampler_identity(self, part: int) -> dict[str, Value]:
        """What of the sampler changes its queries, with every parameter and version written out."""
        if self.mixed:
            parts = {f"part {number}": one.sampler_identity(part) for number, (one, _) in enumerate(self.mixed)}
            return parts | {"shares": [share for _, share in self.mixed]}
        return seed_rules.identity(self.seeds) | crafts.identity(self.craft) | {"part": part}

    def identity(self, part: int) -> dict[str, Value]:
        """What of the scheme changes its scores."""
        head = representations.identity(self.representation) | detectors.identity(self.detector)
        return self.sampler_identity(part) | head

    @cached_property
    def reason(self) -> str | None:
        """Why the parts do not go together, or None."""
        if self.mixed:
            return next((one.reason for one, _ in self.mixed if one.reason), None)
        rule, craft = seed_rules[self.seeds.name], crafts[self.craft.name]
        representation, detector = representations[self.representation.name], detectors[self.detector.name]
        values = craft.bind(self.craft)
        conditional = {need for name, need in craft.declares.needs_when.items() if values[name]}
        given, found = rule.declares.provides, representation.declares.provides
        offered = (given - craft.declares.drops) | craft.declares.provides
        return (
            _lacking(craft, craft.declares.needs | conditional, rule, given)
            or _lacking(representation, representation.declares.needs, self.sampler, offered)
            or _lacking(detector, detector.declares.needs, representation, found)
            or _redundant(detector, representation)
        )


def story_of(sampler: str) -> Story:
    """How queries of a sampler are shown and spoken of: as the craft declares, or the seed rule for natural images."""
    rule, *crafted = (call.name for call in parse_chain(sampler).calls)
    craft = declared(crafts, crafted[0] if crafted else _natural_craft())
    return declared(seed_rules, rule).story if craft.natural else craft.story


def is_control(detector: str) -> bool:
    """Whether a detector, as it is written in a scheme, is no fingerprint."""
    return declared(detectors, detector).control


def declared(registry: Registry[D], text: str) -> D:
    """What a component declares, by its call as it is written in a scheme.

    Records may hold one of a package that is not installed here: it declares nothing.
    """
    name = text.partition("(")[0]
    return registry[name].declares if name in registry else registry.declares()


def split_of(seeds: Call) -> str:
    """The seed set that a seed rule draws from."""
    rule = seed_rules[seeds.name]
    return rule.declares.pool or str(rule.bind(seeds)["split"])


def combinations() -> Iterator[Scheme]:
    """Every combination of registered parts, the impossible ones included (see `Scheme.reason`).

    >>> sum(scheme.reason is None for scheme in combinations()) > 100
    True
    """
    kinds = (seed_rules, crafts, representations, detectors)
    for parts in itertools.product(*([call for name in kind for call in kind[name].variants()] for kind in kinds)):
        yield Scheme(*parts)


def swept(scheme: Scheme) -> bool:
    """Whether every part of a scheme declares that records hold all its combinations."""
    parts = (seed_rules, scheme.seeds), (crafts, scheme.craft), (representations, scheme.representation)
    return all(registry[call.name].declares.swept for registry, call in (*parts, (detectors, scheme.detector)))


def fully_recorded(sampler: str) -> bool:
    """Whether records hold all combinations with a sampler, as it is written in a scheme."""
    rule, *crafted = (call.name for call in parse_chain(sampler).calls)
    return declared(seed_rules, rule).swept and all(declared(crafts, one).swept for one in crafted)


def companions(scheme: Scheme) -> list[Scheme]:
    """The combinations that are recorded beside a named scheme with a part that is not swept: its queries and those from
    the reference's seeds, looked at as it does and in two plain ways. One whose parts are all swept has none.
    """
    if swept(scheme):
        return []
    reference, heads = Scheme.parse(REFERENCE), (scheme.head, *PLAIN_HEADS)
    chains = (scheme.sampler, Chain((reference.seeds,) if scheme.natural else (reference.seeds, scheme.craft)))
    found = [Scheme.read(f"{chain} | {head}") for chain in chains for head in heads]
    return [one for one in dict.fromkeys(found) if not one.reason]


def describe(scheme: Scheme) -> dict[str, object]:
    """What there is to say of a scheme: its text, name, parts, access, source, and what its parts do in words."""
    named = NAMED.get(scheme.name) if scheme.name else None
    parts = {"seeds": seed_rules, "craft": crafts, "representation": representations, "detector": detectors}
    return {
        "scheme": str(scheme),
        "name": scheme.name,
        "sampler": str(scheme.sampler),
        "head": scheme.head,
        **{part: str(getattr(scheme, part)) for part in parts},
        "words": {part: registry[getattr(scheme, part).name].help for part, registry in parts.items()},
        "split": scheme.split,
        "access": str(scheme.access),
        "level": int(scheme.access),
        "group_size": scheme.group_size,
        "source": named.source if named else None,
        "reconstruction": named.reconstruction if named else "",
        "idea": named.idea if named else None,
    }


def _mixed(parts: tuple[Chain | Mixture, ...]) -> Scheme:
    """The scheme of a mixture of samplers.

    Raises:
        QurdError: shares that make no sense, with the reason.
    """
    mixture, rest = parts[0], " | ".join(map(str, parts[1:]))
    found = [Scheme.read(f"{chain} | {rest}") for chain in mixture.chains]
    if len(found) < 2:
        raise QurdError(
            f"Expected two samplers or more with their shares. Got '{mixture}': leave out the share, or add another sampler."
        )
    samplers = [str(one.sampler) for one in found]
    if twice := next((sampler for sampler in samplers if samplers.count(sampler) > 1), None):
        raise QurdError(f"Expected different samplers. '{twice}' stands twice in '{mixture}': add its shares.")
    for one, share in zip(found, mixture.shares, strict=True):
        if type(share) is not int or share < 1:
            raise QurdError(f"Expected shares that are whole numbers of at least 1. Got {share!r} in '{mixture}'.")
        if share % one.group_size:
            raise QurdError(
                f"Expected a share of '{one.sampler}' that buys whole groups of {one.group_size} queries. Got {share}."
            )
        if not one.nested:
            raise QurdError(f"'{one.sampler}' makes other queries for each budget, so it cannot be mixed.")
    return replace(found[0], mixed=tuple(zip(found, mixture.shares, strict=True)))


@cache
def _natural_craft() -> str:
    return next(name for name in crafts if crafts[name].declares.natural)


@cache
def _names() -> dict[str, str]:
    return {str(Scheme.read(name)): name for name in NAMED}


def _lacking(component: Component, needs: frozenset[str], source: Component | Chain, offered: frozenset[str]) -> str | None:
    """The sentence for what a part needs and the part before it does not give."""
    missing = sorted(needs - offered)
    if not missing:
        return None
    before = source.name if isinstance(source, Component) else str(source)
    wanted = " and ".join(FEATURES[feature] for feature in missing)
    return f"{component.name} needs {wanted}, which {before} does not give"


def _redundant(detector: Component, representation: Component) -> str | None:
    """The sentence for a detector that ranks all models as another one does on this representation."""
    for feature, other in detector.declares.redundant.items():
        if feature in representation.declares.provides:
            return f"after {representation.name}, {detector.name} ranks all models exactly as {other} does"
    return None


register_components()  # last: what other packages register may use all of the above
