import inspect
import re
from typing import Annotated, Literal

import pytest

from qurd_core.access import Access
from qurd_core.declarations import Craft, Declaration, Detector, Representation, Theft
from qurd_core.errors import QurdError
from qurd_core.grammar import Call, parse
from qurd_core.registry import (
    Range,
    Registry,
    benchmarks,
    crafts,
    detectors,
    discover,
    obfuscations,
    origins,
    representations,
    seed_rules,
    thefts,
)


@pytest.fixture
def kind():
    """A registry with one component of every sort of parameter."""
    registry = Registry("craft", Craft)

    @registry.register(provides={"pairs"}, group="copies", vary=("of", "k"), version=3)
    def full(
        data,
        rng,
        *,
        split: Literal["train", "test"],
        of: Literal["probits", "logits"] = "probits",
        k: Literal[1, 3] = 3,
        share: Annotated[float, Range(0, 1)] = 0.5,
        copies: int = 4,
        loud: bool = False,
    ):
        """First line.

        More.
        """

    @registry.register()
    def plain(data):
        """Nothing to set."""

    return registry


def call(text: str) -> Call:
    return parse(text).parts[0].calls[0]


def test_a_component_is_described_by_its_function(kind):
    full = kind["full"]
    assert full.help == "First line."
    assert list(full.parameters) == ["split", "of", "k", "share", "copies", "loud"]
    assert [parameter.type for parameter in full.parameters.values()] == [str, str, int, float, int, bool]
    assert full.parameters["split"].required
    assert full.parameters["split"].choices == ("train", "test")
    assert full.parameters["share"].range == Range(0, 1)
    assert full.parameters["copies"].default == 4
    assert full.declares == Craft(provides=frozenset({"pairs"}), group="copies", vary=("of", "k"))
    assert full.version == 3
    assert kind["plain"].parameters == {}


def test_binding_fills_in_positions_names_and_defaults(kind):
    defaults = {"of": "probits", "k": 3, "share": 0.5, "copies": 4, "loud": False}
    assert kind["full"].bind(call("full(test)")) == {"split": "test", **defaults}
    assert kind["full"].bind(call("full(train,logits,loud=true)")) == {
        "split": "train",
        **defaults,
        "of": "logits",
        "loud": True,
    }
    assert kind["plain"].bind(call("plain")) == {}


@pytest.mark.parametrize(
    ("text", "canonical"),
    {
        "full(split=test)": "full(test)",
        "full(test,probits)": "full(test)",
        "full(loud=true,split=test,of=logits)": "full(test,of=logits,loud=true)",
        "full(test,share=1)": "full(test,share=1.0)",
        "full(test,copies=4.0)": "full(test)",
        "full(test,copies=5.0)": "full(test,copies=5)",
    }.items(),
)
def test_the_canonical_call(kind, text, canonical):
    component = kind["full"]
    assert str(component.call(component.bind(call(text)))) == canonical
    assert component.bind(call(canonical)) == component.bind(call(text))


@pytest.mark.parametrize(
    ("text", "said"),
    {
        "full": "needs 'split': train or test",
        "full(val)": "one of train, test",
        "full(test,share=1.1)": "between 0 and 1",
        "full(test,share=word)": "of type float",
        "full(test,copies=1.5)": "of type int",
        "full(test,copies=true)": "of type int",
        "full(test,share=true)": "of type float",
        "full(test,loud=1)": "of type bool",
        "full(test,k=2)": "one of 1, 3",
        "full(test,split=test)": "given twice",
        "full(test,chare=1)": "Did you mean 'share'",
        "plain(1)": "at most 0 values",
    }.items(),
)
def test_wrong_parameters_are_refused_with_what_would_be_right(kind, text, said):
    wrong = call(text)
    with pytest.raises(QurdError, match=said):
        kind[wrong.name].bind(wrong)


def test_the_enumeration_goes_through_required_and_varied_choices_only(kind):
    assert [str(variant) for variant in kind["full"].variants()] == [
        "full(train,k=1)",
        "full(train)",
        "full(train,of=logits,k=1)",
        "full(train,of=logits)",
        "full(test,k=1)",
        "full(test)",
        "full(test,of=logits,k=1)",
        "full(test,of=logits)",
    ]
    assert list(map(str, kind["plain"].variants())) == ["plain"]


def test_parameters_decide_access_and_cost(kind):
    full = kind["full"]
    assert full.group_size(full.bind(call("full(test,copies=7)"))) == 7
    assert kind["plain"].group_size({}) == 1


def test_an_access_is_declared_where_no_parameter_decides():
    registry = Registry("representation", Representation)

    @registry.register(access=Access.TOPK)
    def rank(answers):
        """Ranks."""

    @registry.register()
    def raw(answers, *, of: Literal["probits", "logits"] = "probits"):
        """Outputs."""

    assert registry["rank"].access({}) == Access.TOPK
    assert registry["raw"].access({"of": "logits"}) == Access.LOGITS


def test_names_are_found_in_order_and_unknown_ones_refused(kind):
    assert list(kind) == ["full", "plain"]
    assert "full" in kind
    assert "fool" not in kind
    with pytest.raises(QurdError, match=r"Unknown craft 'fool'\. Did you mean 'full'"):
        kind["fool"]


def test_two_modules_cannot_register_one_name_but_one_may_be_read_again(kind):
    def plain(data):
        """Another."""

    def elsewhere(data):
        """A third."""

    kind.register()(plain)
    elsewhere.__module__ = "elsewhere"
    with pytest.raises(QurdError, match="Two crafts are named 'plain'"):
        kind.register(name="plain")(elsewhere)
    assert kind["plain"].function is plain


def test_a_component_needs_a_docstring(kind):
    with pytest.raises(QurdError, match="needs a docstring"):
        kind.register()(lambda data: data)


REFUSED = [
    (Craft, {"top_up": "loud"}, "Unknown declaration 'top_up'. Did you mean 'tops_up'?"),
    (Craft, {"verson": 2}, "Unknown declaration 'verson'. Did you mean 'version'?"),
    (Craft, {"provides": {"piars"}}, "Unknown feature 'piars'. Did you mean 'pairs'?"),
    (Craft, {"needs": ["photos"]}, "Unknown feature 'photos'. Did you mean 'photo'?"),
    (Craft, {"needs_when": {"loud": "scarse"}}, "Unknown feature 'scarse'. Did you mean 'scarce'?"),
    (Craft, {"provides": "pairs"}, "Expected 'provides' to be a set of features. Got 'pairs'."),
    (Craft, {"story": "mask"}, "Unknown 'story' 'mask'. Did you mean 'masked'?"),
    (Craft, {"tops_up": "lout"}, "Unknown parameter 'lout'. Did you mean 'loud'?"),
    (Craft, {"group": "copy"}, "Unknown parameter 'copy'."),
    (Craft, {"group": 1.5}, "Expected 'group' to be a whole number or a name. Got 1.5."),
    (Craft, {"deterministic": "no"}, "Expected 'deterministic' to be true or false. Got 'no'."),
    (Craft, {"square": True}, "Unknown declaration 'square'."),
    (Detector, {"redundant": {"two-values": "l1"}}, "Unknown feature 'two-values'. Did you mean 'two-valued'?"),
    (Detector, {"ends_at_one": True}, "Unknown declaration 'ends_at_one'. Did you mean 'end_at_one'?"),
    (Representation, {}, "Expected the 'access' that it needs (or a parameter 'of' that chooses the outputs)"),
    (Representation, {"access": "labels"}, "Expected 'access' to be an access level. Got 'labels'."),
    (Representation, {"access": Access.LABELS, "rows": 3}, "Expected 'rows' to be a function. Got 3."),
    (Theft, {}, "Expected 'reads' to be declared: 'answers' or 'weights'."),
    (Theft, {"reads": "answer"}, "Unknown 'reads' 'answer'. Did you mean 'answers'?"),
    (Theft, {"reads": "answers"}, "Expected the 'access' that it needs to be declared."),
]


@pytest.mark.parametrize(("declares", "said", "sentence"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_is_no_declaration_is_refused_at_registration_in_one_sentence(declares, said, sentence):
    found = Registry("part", declares)

    def new(data, *, loud: bool = False):
        """A part."""

    with pytest.raises(QurdError, match=re.escape(sentence)) as caught:
        found.register(**said)(new)
    assert "While registering the part 'new'" in str(caught.value)
    assert "new" not in found


def test_every_declaration_and_every_feature_of_the_components_is_declared_in_words():
    for kind in (seed_rules, crafts, representations, detectors, origins, thefts, obfuscations, benchmarks):
        said = inspect.getdoc(kind.declares) + inspect.getdoc(Declaration)
        for name in inspect.signature(kind.declares).parameters:
            assert re.search(rf"^ *(\w+, )*{name}(, \w+)*: ", said, re.M), f"{kind.declares.__name__}.{name}"


def test_one_craft_only_sends_the_seed_images_as_they_are(kind):
    kind.register(name="asis", natural=True)(documented("As they are."))
    kind.register(name="asis", natural=True)(documented("Read again."))
    with pytest.raises(QurdError, match=r"Only one craft can be the natural one, which is not written\. Got asis and same"):
        kind.register(name="same", natural=True)(documented("The same."))


def documented(doc: str):
    def function(data):
        pass

    function.__doc__ = doc
    return function


def test_a_new_file_is_a_new_component(tmp_path, monkeypatch):
    package = tmp_path / "toy_components"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "blur.py").write_text(
        "from qurd_core.declarations import Craft\n"
        "from qurd_core.registry import Registry\n"
        "found = Registry('craft', Craft)\n"
        "@found.register()\n"
        "def blur(seeds):\n"
        "    'Blur.'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    discover("toy_components", [str(package)])
    import toy_components.blur

    assert list(toy_components.blur.found) == ["blur"]
    (package / "broken.py").write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        discover("toy_components", [str(package)])


def test_positional_arguments_are_no_parameters(kind):
    assert "data" in inspect.signature(kind["full"].function).parameters
    assert "data" not in kind["full"].parameters
