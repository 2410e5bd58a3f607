"""Every command that takes a benchmark, with every kind of benchmark: it takes what its help says, and one function says
what the others are."""

import importlib
import json
import os
import tempfile
from pathlib import Path
from shutil import copytree

import pytest
import torch
from safetensors.torch import save_file
from typer.main import get_command

from qurd_core import cli
from qurd_core.benchmarks import base
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.errors import QurdError, lies_at
from qurd_core.paper import importer
from tests.qurd_core.benchmarks.own.test_answer_table import answers
from tests.toy import STRANGERS, VICTIMS

QUICK = ["--device", "cpu", "--workers", "1", "--json"]
COMMANDS = {  # arguments after the benchmark
    "models": QUICK,
    "check-benchmark": QUICK,
    "check": QUICK,
    "queries": ["--out", "sent", "--budget", "20", "--fit", "5"],
    "triage": ["--out", "ranking.csv"],
    "forge": ["--out", "forged", "--device", "cpu", "--workers", "1"],
    "challenge": ["--out", "contest"],
    "pairs": QUICK,
    "run": ["-s", "AKH", "--budget", "10", "--seeds", "1", *QUICK],
    "sweep": [],
    "honest": [],
    "grid": ["-s", "AKH"],
    "separability": [],
    "fetch": [],
    "speed": [],
}
OF_ALL = ("models", "check-benchmark", "pairs", "run")
OF_SUSPECTS = ("check", "triage")  # which take as many, and need models of unknown origin
OF_PICTURES = ("queries",)  # which takes as many, and needs items with pixels
POSITIONAL = ("check-benchmark", "forge", *OF_SUSPECTS, *OF_PICTURES)
ANY = "Expected the name of a benchmark, or the path of a folder of models, a table of answers (.csv, .parquet) or a saved"


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """A folder with something of every kind but what cannot be copied."""
    home = tmp_path_factory.mktemp("laid")
    pairs = [(VICTIMS[0], name) for name in (VICTIMS[0], f"{VICTIMS[0]}->finetune(seed=1)", *STRANGERS[:20])]
    BenchFile("toy", frozenset(pairs)).write(home / "store" / "benches" / "half.json")
    for name in ("answers.csv", "answers.parquet", "blob"):
        table = answers()
        table.to_csv(home / name, index=False) if name.endswith(".csv") else table.to_parquet(home / name, index=False)
    pairs = [("mine", name) for name in ("copy", "student", *(f"other{n}" for n in range(20)))]
    BenchFile("answers.csv", frozenset(pairs)).write(home / "part.json")
    torch.save({"weight": torch.zeros(2)}, home / "victim.pth")
    save_file({"weight": torch.zeros(2)}, home / "victim.safetensors")
    (home / "zip.csv").write_bytes((home / "victim.pth").read_bytes())
    for folder in ("benches", "folder", "folder.csv"):
        (home / folder).mkdir()
    texts = {"notes.txt": "hello", "plain": "hello", "text.parquet": "item,truth", "benches/half.json": "x"}
    texts |= {"benches/notes.txt": "x", "folder/manifest.json": json.dumps({"models": []})}
    for name, text in (texts | dict.fromkeys(("empty.csv", "empty.json", "empty.pth"), "")).items():
        (home / name).write_text(text)
    return home


@pytest.fixture
def place(laid, tmp_path, monkeypatch):
    """A folder with something of every kind, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QURD_HUB", str(tmp_path / "hub"))
    copytree(laid, tmp_path, dirs_exist_ok=True)
    Path("linked.csv").symlink_to("blob")
    Path("lost.csv").symlink_to("nowhere.csv")
    os.mkfifo("pipe.json")
    return tmp_path


def ask(qurd, command, text):
    arguments = [text] if command in POSITIONAL else ["make", text] if command == "challenge" else ["-b", text]
    code, out, err = qurd(command, *arguments, *COMMANDS[command])
    return code, out, " ".join(err.split())


GOOD = [
    "toy",
    "half",
    "linked.csv",
    "store/benches/half.json",
    "answers.csv",
    "answers.csv/",
    "./answers.parquet",
    "part.json",
]


@pytest.mark.parametrize("text", GOOD)
@pytest.mark.parametrize("command", OF_ALL)
@pytest.mark.slow
def test_what_all_take_is_taken_by_all(qurd, place, command, text):
    code, out, err = ask(qurd, command, text)
    assert (code, "Traceback" in err) == (0, False), err
    assert json.loads(out)


@pytest.mark.parametrize("text", GOOD)
@pytest.mark.parametrize("command", OF_SUSPECTS)
@pytest.mark.slow
def test_whoever_asks_about_suspects_is_told_that_there_are_none(qurd, place, command, text):
    code, out, err = ask(qurd, command, text)
    assert (code, out) == (2, "")
    assert "with --victim: " in err or "There are none: name a model with --suspect." in err


@pytest.mark.parametrize("text", GOOD)
def test_whoever_writes_pictures_does_so_or_is_told_why_not(qurd, place, text):
    code, out, err = ask(qurd, "queries", text)
    assert ("Expected items with pixels" in err) == (code == 2) or "with --victim: " in err
    assert (Path(out.strip()).name == "queries.csv") == (code == 0)


def test_a_saved_benchmark_is_the_same_by_name_and_by_path(qurd, place):
    by_name, by_path = (json.loads(ask(qurd, "check-benchmark", text)[1]) for text in ("half", "store/benches/half.json"))
    assert by_name == by_path
    assert by_name["victims"][0]["stolen"] == 2


BAD = {
    "victim.pth": "Got 'victim.pth'. There is a ZIP archive, as PyTorch",
    "victim.safetensors": "Got 'victim.safetensors'. There is a .safetensors file. Weights and their manifest belong",
    "./victim.pth/": "There is a ZIP archive",
    "notes.txt": "There is a .txt file",
    "plain": "There is a file without an ending",
    "empty.pth": "There is an empty file",
    "nothing.pth": "Got 'nothing.pth'. There is nothing.",
    "no/such/place": "Got 'no/such/place'. There is nothing.",
    "plain/below": "Got 'plain/below'. There is nothing.",
    "x" * 400 + ".json/x": "There is nothing",
    "a\0b/c": "There is nothing",
    "pipe.json": "There is neither a file nor a folder",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:20].replace("\0", "0"))
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.slow
def test_what_is_no_benchmark_is_named_by_every_command_alike(qurd, place, command, text):
    code, out, err = ask(qurd, command, text)
    assert (code, out) == (2, "")
    assert ANY in err
    assert BAD[text] in err


WRONG = {
    "empty.csv": "Expected a table of answers at {}/empty.csv. There is an empty file.",
    "zip.csv": "Expected a table of answers at {}/zip.csv. There is a ZIP archive, as PyTorch",
    "text.parquet": "Cannot read {}/text.parquet as Parquet: Parquet",
    "lost.csv": "Expected a table of answers at {}/lost.csv. There is a link to nothing.",
    "nothing.csv": "Expected a table of answers at {}/nothing.csv. There is nothing.",
    "nothing.json": "Expected a benchmark file at {}/nothing.json. There is nothing.",
    "empty.json": "Expected a benchmark file at {}/empty.json. There is an empty file.",
    "folder/manifest.json": "Got the manifest of a folder of models: name the folder.",
    "folder.csv": "in {}/folder.csv. There is none: it is empty.",
    "benches": "in {}/benches. There is none: it holds half.json (a .json file), notes.txt (a .txt file)",
    "patchwork-sak": "Unknown benchmark 'patchwork-sak'. Did you mean 'patchwork-sac'?",
    "patchwork-sac/": "Unknown benchmark 'patchwork-sac/'. Did you mean 'patchwork-sac'?",
    "toy(x=1)": "Unknown parameter of 'toy' 'x'",
    "published-cifar10": "Of published-cifar10 only scores were published",
    "": "Expected",
    " ": "Expected",
}


@pytest.mark.parametrize("text", WRONG, ids=str)
@pytest.mark.parametrize("command", (*OF_ALL, *OF_SUSPECTS, *OF_PICTURES))
@pytest.mark.slow
def test_what_is_wrong_with_one_is_one_sentence(qurd, place, command, text):
    if (command, text) in (("models", "published-cifar10"), ("pairs", "published-cifar10")):
        return  # whose models and pairs were published
    code, out, err = ask(qurd, command, text)
    assert code == 2, err
    assert "Traceback" not in err
    said = json.loads(out)["problems"][0] if out else err
    assert WRONG[text].format(place) in said


KINDS = {
    "half": "a saved benchmark",
    "store/benches/half.json": "a saved benchmark",
    "answers.csv": "a table of answers",
    "folder": "a folder of models",
    "toy": "an embedded benchmark",
    "sacbench-cifar10": "a benchmark of the model hub",
}
REFUSED = {
    "sweep": "Expected an embedded benchmark, or one with a name: see 'register'. Got {}, {}. Use 'run' on it.",
    "honest": "published-sdog120. Got {}, {}. Use `run --honest` on it.",
    "separability": "or the name of a saved one. Got {}, {}. Use 'pairs' or 'run' on it.",
    "grid": "Expected a benchmark with a grid: fashion-sac. Got {}, {}. Use 'run' on it.",
    "speed": "Expected an embedded benchmark, whose models are here. Got {}, {}.",
    "fetch": "Expected a benchmark of the model hub, which is reached over a network. {}, {}, is here already.",
}


@pytest.mark.parametrize("text", KINDS)
@pytest.mark.parametrize("command", REFUSED)
@pytest.mark.slow
def test_commands_that_take_some_only_say_what_came(qurd, place, monkeypatch, command, text):
    if (command, text) == ("separability", "half"):
        return  # which this command takes by its name
    taken = {"sweep": "an embedded benchmark", "speed": "an embedded benchmark", "fetch": "a benchmark of the model hub"}
    if taken.get(command) == KINDS[text]:
        assert base.kind_of(text) == KINDS[text]  # which this command takes
        return
    code, out, err = ask(qurd, command, text)
    assert (code, out) == (2, "")
    order = (KINDS[text], text) if command != "fetch" else (text, KINDS[text])
    assert REFUSED[command].format(*order) in err


def test_the_help_of_every_command_says_what_it_takes():
    """Paths are offered by those commands only that take them."""
    for name, command in get_command(cli.app).commands.items():
        for option in getattr(command, "params", ()):
            if "--benchmark" in option.opts and name != "app":  # which registers yours
                assert name in COMMANDS
                assert ("or the path of" in option.help) == (name in OF_ALL)
                assert ("no path" in option.help) == (name not in OF_ALL)


FOLDERS = [
    ["models", "-b", "toy", "--store", "notes.txt"],
    ["check-benchmark", "toy", "--store", "notes.txt"],
    ["run", "-b", "toy", "-s", "AKH", "--store", "notes.txt"],
    ["honest", "-b", "patchwork-reuse", "--out", "notes.txt"],
    ["sweep", "-b", "toy", "--out", "notes.txt"],
    ["build", "patchwork", "--out", "notes.txt"],
    ["paper", "export-summary", "--out", "notes.txt"],
    ["import-scores", "folder", "--store", "notes.txt"],
    ["forge", "folder", "--out", "notes.txt"],
    ["challenge", "make", "toy", "--out", "notes.txt"],
]


@pytest.mark.parametrize("arguments", FOLDERS, ids=" ".join)
def test_a_file_in_place_of_a_folder_is_named(qurd, place, arguments):
    code, out, err = qurd(*arguments)
    assert (code, out) == (2, "")
    assert "Expected a folder at notes.txt. There is a .txt file. Name another one." in " ".join(err.split())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nothing", "at nothing. There is nothing."),
        ("folder", "at folder. There is a folder. It holds no 'generated'."),
        ("empty.csv", "at empty.csv. There is an empty file."),
        ("pipe.json", "at pipe.json. There is neither a file nor a folder."),
        ("answers.csv", "Expected a Parquet table at answers.csv. There is a .csv file."),
        ("victim.pth", "There is a ZIP archive, as PyTorch"),
    ],
)
def test_what_cannot_be_imported_is_named(qurd, place, name, says):
    code, out, err = qurd("import-scores", name)
    assert (code, out) == (2, "")
    assert says in " ".join(err.split())


@pytest.mark.parametrize("command", ["models", "pairs", "fetch"])
def test_a_hub_that_is_a_file_is_named(qurd, place, monkeypatch, command):
    monkeypatch.setenv("QURD_HUB", "notes.txt")
    code, _, err = qurd(command, "-b", "sacbench-cifar10")
    assert code == 2
    assert "Expected a folder at notes.txt. There is a .txt file." in " ".join(err.split())


@pytest.fixture
def user():
    """A folder that everybody may enter, and a switch to a user who is not root, who may read everything."""
    if os.geteuid():
        pytest.skip("Only root can become a user without rights.")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        try:
            yield Path(folder), lambda: os.seteuid(65534)
        finally:
            os.seteuid(0)


def test_files_and_folders_without_rights_are_one_sentence(user, monkeypatch):
    folder, become = user
    monkeypatch.setenv("QURD_STORE", str(folder / "locked"))
    answers().to_csv(folder / "answers.csv", index=False)
    for name in ("saved.json", "victim.pth", "answers.parquet"):
        (folder / name).write_text("{}")
    for name in ("locked", "listed"):
        (folder / name).mkdir()
        (folder / name / "manifest.json").write_text("{}")
    (folder / "shown").mkdir()
    (folder / "shown" / "manifest.json").write_text("{}")
    paths = [*folder.iterdir()]
    for path in (*paths, folder / "shown" / "manifest.json"):
        path.chmod({"listed": 0o444, "shown": 0o755}.get(path.name, 0))
    for module in ("multiprocessing.popen_fork", "resource"):  # the user may not read Python's own modules either
        importlib.import_module(module)
    become()
    for path in (*paths, folder / "locked" / "any.csv", folder / "locked" / "any"):
        with pytest.raises(QurdError, match=r"There is something that this user may not read|Permission denied"):
            base.benchmark(str(path))
    for path in (folder / "locked", folder / "locked" / "any", folder / "victim.pth"):
        with pytest.raises(QurdError, match="There is something that this user may not read"):
            importer.import_scores(path, folder / "store")
    with pytest.raises(QurdError, match="Did you mean 'patchwork-sac'"):
        base.benchmark("patchwork-sak")


def test_what_lies_at_a_path_is_said_in_words(tmp_path, monkeypatch):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "locked.csv").write_text("x")
    assert lies_at(tmp_path / "loop") == "a link to nothing"
    assert lies_at(tmp_path / ("x" * 400)) == "nothing"
    monkeypatch.setattr(Path, "open", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert lies_at(tmp_path / "locked.csv") == "something that this user may not read"
