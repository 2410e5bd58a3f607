"""Evidence that a third party computes again: what is fixed before, what a flipped byte does, and what is refused."""

import csv
import io
import json
import zipfile

import pytest

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.records import sealed
from qurd_core.records.sealed import canonical, sha
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects.checking import with_evidence
from qurd_core.suspects.question import question
from qurd_core.suspects.verifying import verify
from tests.qurd_core.suspects.test_checking import COPY, OTHER, VICTIM, answers, table

HARD = {"h": ("hard", "train(res,mine)", answers(600, 0.3, VICTIM, 0.9))}
THIEF = {"t": ("stolen", "train(vgg,mine)->prune(0.5)", answers(700, 0.3, VICTIM, 0.9))}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = tmp_path_factory.mktemp("sealed")
    table({"shop": COPY, "app": OTHER}, more=HARD | THIEF).to_csv(made / "t.csv", index=False)
    return made


def asked(home, path, *, seal_only=False, schemes=("AKH",), **how):
    bench = benchmark(str(home / "t.csv"))
    about = question(bench, None, (), schemes, **({"budget": 20, "level": 0.05, "stop": "none", "fit": 15} | how))
    told = []
    found = with_evidence(bench, about, Store(home / "store"), Runtime(), path, seal_only=seal_only, tell=told.append)
    return found, told


@pytest.fixture(scope="module")
def folder(home):
    asked(home, home / "good")
    return home / "good"


@pytest.fixture
def copy(folder, tmp_path):
    """The members of good evidence, to be changed: `copy(name=bytes)` gives a folder."""

    def make(**changed):
        there = tmp_path / f"copy{len(list(tmp_path.iterdir()))}"
        there.mkdir()
        held = {path.name: path.read_bytes() for path in folder.iterdir()} | {
            name.replace("_", "."): data for name, data in changed.items()
        }
        for name, data in held.items():
            if data is not None:
                (there / name).write_bytes(data)
        return there

    return make


def test_canonical_json_has_one_spelling():
    assert canonical({"b": 1, "a": "é", "c": [True]}) == b'{"a":"\\u00e9","b":1,"c":[true]}'
    assert canonical({"p": 0.05}) == b'{"p":"0.05"}'


@pytest.mark.parametrize("how", [{}, {"stop": "peak"}, {"stop": "bound"}, {"schemes": ("AKH", "Random")}, {"fit": 0}])
@pytest.mark.parametrize("ending", ["", ".zip"])
@pytest.mark.slow
def test_a_third_party_computes_the_same_without_a_model(home, tmp_path, how, ending):
    found, told = asked(home, tmp_path / f"e{ending}", **how)
    again = verify(tmp_path / f"e{ending}")
    assert again.faults == []
    assert again.sentences == found.sentences
    assert told == [f"Seal number {again.number}", str(tmp_path / f"e{ending}")]


def test_the_seal_stands_before_any_suspect_is_asked_and_is_continued(home, tmp_path):
    found, told = asked(home, tmp_path / "e", seal_only=True)
    assert found is None
    assert {path.name for path in (tmp_path / "e").iterdir()} == {"seal.json", "queries.csv", "reference.csv"}
    sealed = json.loads((tmp_path / "e" / "seal.json").read_bytes())
    assert (sealed["budget"], sealed["level"], sealed["family"], len(sealed["pool"])) == (20, "0.05", 2, 40)
    assert len(sealed["nonce"]) == 64
    rows = list(csv.DictReader(io.StringIO((tmp_path / "e" / "queries.csv").read_text())))
    assert sorted(row["query"] for row in rows) == sorted([f"0:{n}" for n in range(20)] + [f"fit:{n}" for n in range(15)])
    assert [row["query"] for row in rows] != sorted(row["query"] for row in rows)  # drawn, with the fit mixed in
    _, again = asked(home, tmp_path / "e")
    assert again[0] == told[0]
    assert verify(tmp_path / "e").faults == []
    with pytest.raises(QurdError, match=r"is complete\. Seal another question"):
        asked(home, tmp_path / "e")


def test_a_seal_of_another_question_is_refused(home, tmp_path):
    asked(home, tmp_path / "e", seal_only=True)
    for how, name in (({"budget": 30}, "budget"), ({"level": 0.1}, "level"), ({"schemes": ("Random",)}, "scheme")):
        with pytest.raises(QurdError, match=f"of another question: its {name} is another one"):
            asked(home, tmp_path / "e", **how)


def test_seals_of_one_victim_are_counted(home, tmp_path):
    numbers = []
    for name in ("a", "b"):
        asked(home, tmp_path / name, seal_only=True)
        numbers.append(json.loads((tmp_path / name / "seal.json").read_bytes())["attempt"])
    assert numbers[1] == numbers[0] + 1


def test_every_flipped_byte_is_named(folder, copy):
    for path in sorted(folder.iterdir()):
        data, step = path.read_bytes(), max(1, path.stat().st_size // 40)
        for place in range(0, len(data), step):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            try:
                faults = verify(copy(**{path.name.replace(".", "_"): changed})).faults
            except QurdError as error:
                faults = [str(error)]
            assert faults, f"{path.name} at {place}"
            assert any(path.name in fault for fault in faults), faults


def sealed_anew(held):
    """Repair `files.json`, as whoever changes something on purpose would."""
    listed = [
        {"name": name, "bytes": len(data), "sha256": sha(data)}
        for name, data in sorted(held.items())
        if name != "files.json"
    ]
    return held | {"files.json": canonical(listed)}


def changed(folder, **by):
    held = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name, change in by.items():
        held[name.replace("_", ".")] = change(held[name.replace("_", ".")])
    return {name.replace(".", "_"): data for name, data in sealed_anew(held).items()}


def chained(answers: bytes, seal: bytes, change) -> bytes:
    """Change answers and repair their chain."""
    before, lines = sha(seal), []
    for line in answers.splitlines():
        said = change(json.loads(line)) | {"before": before}
        lines.append(canonical(said))
        before = sha(lines[-1])
    return b"".join(line + b"\n" for line in lines)


def test_an_answer_that_was_edited_contradicts_the_verdict_though_every_hash_is_repaired(folder, copy):
    seal = (folder / "seal.json").read_bytes()

    def disagree(said):
        return said | ({"label": "0"} if said["suspect"] == "shop" and said["query"].startswith("0:") else {})

    faults = verify(copy(**changed(folder, answers_jsonl=lambda data: chained(data, seal, disagree)))).faults
    assert len(faults) == 1
    assert faults[0].startswith("verdict.json says ")
    assert "of 'shop', the answers give" in faults[0]


CHANGES = {
    "level": (lambda sealed: sealed | {"level": "0.2"}, "does not follow from the one before: field 'before'"),
    "pool": (
        lambda sealed: sealed | {"pool": [sealed["pool"][1], sealed["pool"][0], *sealed["pool"][2:]]},
        "does not follow from the one before",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_seal_that_was_edited_fits_no_answers(folder, copy, name):
    change, says = CHANGES[name]
    edited = changed(folder, seal_json=lambda data: canonical(change(json.loads(data))))
    found = verify(copy(**edited))
    assert found.number != verify(folder).number
    assert says in found.faults[0]


def test_queries_in_another_order_and_other_reference_answers_are_not_what_was_sealed(folder, copy):
    def swapped(data):
        first, second, *rest = data.splitlines(keepends=True)[1:]
        return b"".join([data.splitlines(keepends=True)[0], second, first, *rest])

    for name in ("queries", "reference"):
        (fault,) = verify(copy(**changed(folder, **{f"{name}_csv": swapped}))).faults
        assert fault == f"{name}.csv is not the table that was sealed: field '{name}' of seal.json."


def test_members_that_are_missing_or_strange_are_named(folder, copy):
    (fault,) = verify(copy(answers_jsonl=None)).faults
    assert fault == "answers.jsonl is missing."
    (fault,) = verify(copy(more_txt=b"x")).faults
    assert fault == "more.txt is not listed in files.json."


def lines(change):
    return lambda data: b"".join(change(data.splitlines(keepends=True)))


def test_answers_that_are_missing_or_twice_are_named(folder, copy):
    (fault,) = verify(copy(**changed(folder, answers_jsonl=lines(lambda some: some[:-1])))).faults
    assert fault == "answers.jsonl holds 69 answers. 35 queries to 2 suspect(s) were sealed."
    (fault,) = verify(copy(**changed(folder, answers_jsonl=lines(lambda some: [*some, some[-1]])))).faults
    assert "Line 71 of answers.jsonl does not follow" in fault


def zip_of(path, members, **how):
    with zipfile.ZipFile(path, "w", **how) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: zip_of(path, [("../x", b"")]), "'../x' is another thing"),
        (lambda path: zip_of(path, [("/x", b"")]), "'/x' is another thing"),
        (
            lambda path: zip_of(path, [("seal.json", b"0" * 9**6)], compression=zipfile.ZIP_DEFLATED),
            "'seal.json' is another",
        ),
        (lambda path: zip_of(path, [(f"{n}", b"") for n in range(201)]), "Expected at most 200 members"),
        (lambda path: zip_of(path, [("readme", b"hello")]), "with seal.json. There is none in it"),
        (lambda path: path.write_bytes(b"hello") and path, "File is not a zip file"),
        (lambda path: path, "There is nothing."),
    ],
)
def test_what_is_no_evidence_is_one_sentence(tmp_path, make, says):
    with pytest.raises(QurdError, match=says):
        verify(make(tmp_path / "e.zip"))


def test_links_are_not_followed(folder, copy, tmp_path):
    there = copy(verdict_json=None)
    (there / "verdict.json").symlink_to(folder / "verdict.json")
    with pytest.raises(QurdError, match="It holds more, or links and folders"):
        verify(there)


def test_a_bomb_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sealed, "BYTES", 1000)
    with pytest.raises(QurdError, match="It claims more"):
        verify(zip_of(tmp_path / "e.zip", [("seal.json", b"0" * 2000)]))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"schemes": ("FBI:labels",)}, "Expected schemes that compare labels query by query"),
        ({"then": "AKH"}, "Expected no second scheme beside evidence"),
        ({"level": 0.01}, "Expected 199 unrelated lineages for 2 suspect"),
    ],
)
def test_what_cannot_be_sealed_is_a_sentence(home, tmp_path, how, says):
    with pytest.raises(QurdError, match=says):
        asked(home, tmp_path / "e", **how)
    assert not (tmp_path / "e").exists()


def test_the_commands_seal_ask_and_verify(home, tmp_path, qurd):
    how = ["check", str(home / "t.csv"), "--budget", "20", "--fit", "15", "--evidence", str(tmp_path / "e.zip")]
    code, out, error = qurd(*how, "--seal-only")
    assert (code, out) == (0, "")
    number = error.split("Seal number ")[1].split()[0]
    code, out, error = qurd(*how)
    assert code == 0, error
    assert number in error
    code, out, _ = qurd("verify", str(tmp_path / "e.zip"), "--seal", number)
    assert (code, out.splitlines()[-1]) == (0, f"Seal number {number}: all matches.")
    assert "shop is closer to mine" in out
    code, out, _ = qurd("verify", str(tmp_path / "e.zip"), "--seal", "0" * 64)
    assert code == 1
    assert "it is another seal" in out
    code, _, error = qurd("verify", str(tmp_path / "nothing.zip"))
    assert code == 2
    code, _, error = qurd("check", str(home / "t.csv"), "--seal-only")
    assert "Expected --evidence with --seal-only" in error


def test_evidence_holds_no_weights_and_no_pictures(folder):
    assert {path.name for path in folder.iterdir()} == {*sealed.NEEDED}
    assert sealed.FORMAT == 1
