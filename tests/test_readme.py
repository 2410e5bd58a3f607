"""The README and the pages of `assets/docs` are true and complete, and whatever they point to is there."""

import re
from dataclasses import fields

import pytest
import typer

from qurd_core import catalogue, cli, declarations, statistics
from qurd_core.benchmarks.base import register_benchmarks
from qurd_core.cli.new import KINDS
from qurd_core.files import ROOT
from qurd_core.findings.language import words
from qurd_core.grammar import Call
from qurd_core.paper import claims
from qurd_core.paper.row import VERDICTS
from qurd_core.records import rate_records
from qurd_core.registry import benchmarks, obfuscations, thefts
from qurd_core.schemes import NAMED, PUBLISHED
from qurd_core.statistics.printed import fixed

DOCS = ROOT / "assets" / "docs"
PAGES = {path.stem: path.read_text("utf-8") for path in sorted(DOCS.glob("*.md"))}
README = (ROOT / "README.md").read_text("utf-8")
FENCED = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)]+)\)")
TASKS = {"probit": "probit_extraction", "label": "label_extraction", "adv. label": "adv_label_extraction"}


def told(text: str) -> str:
    """What is said outside fenced blocks, in one line."""
    return re.sub(r"\s+", " ", FENCED.sub("", text))


def rows(benchmark: str) -> list[dict[str, str]]:
    """The table of a benchmark among the results, a dict per scheme."""
    table = re.search(rf"^\| {benchmark} \| same .*?\n\n", PAGES["results"], re.DOTALL | re.MULTILINE)[0]
    head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines())
    return [dict(zip(head, line, strict=True)) for line in body]


def said(share: float) -> str:
    return fixed(share, 2).removeprefix("0")


@pytest.mark.parametrize("benchmark", rate_records.EMBEDDED)
def test_the_tables_of_results_are_the_shipped_records(benchmark):
    shipped = {
        negatives: rate_records.read_at(benchmark, 100, negatives=negatives).set_index(["name", "task"])["tpr"]
        for negatives in ("unrelated", "unrelated+hard")
    }
    found = rows(benchmark)
    recorded = {name for name, _ in shipped["unrelated"].index if name in NAMED}
    assert {row[benchmark] for row in found} == recorded - {"accuracy"}
    for row in found:
        name = row.pop(benchmark)
        for task, cell in row.items():
            alone, hard = (shipped[choice][name, TASKS.get(task, task)] for choice in shipped)
            assert cell == (said(alone) if task == "transfer" else f"{said(alone)} ({said(hard)})"), (name, task)


def test_the_readme_says_what_one_sees_as_the_records_have_it():
    def seen(negatives: str) -> dict[str, str]:
        rates = (
            rate_records.read_at("patchwork-sac", 100, negatives=negatives).query("task == 'all'").set_index("name")["tpr"]
        )
        return {name: f"{100 * rates[name]:.0f} %" for name in ("AKH", "Random")}

    alone, hard, sentences = seen("unrelated"), seen("unrelated+hard"), told(README)
    assert f"AKH catches {alone['AKH']} of the stolen models with 100 queries, Random {alone['Random']}" in sentences
    assert f"AKH fall to {hard['AKH']} and Random to {hard['Random']}" in sentences


def test_the_claims_are_counted_as_they_are_graded():
    graded = [claim.verdict for claim in claims.read()]
    supported, against, open_ = (graded.count(verdict) for verdict in VERDICTS)
    said = f"Of {len(graded)} claims {supported} are supported by its scores, {against} are not, and {open_} are not"
    assert said in told(PAGES["published"])


def test_the_definitions_name_the_published_schemes():
    (found,) = re.findall(r"\*\*Published schemes\*\*: (.*?)\. ", told(PAGES["definitions"]))
    assert found == words.listed(PUBLISHED)


@pytest.mark.parametrize("name", ["README", *PAGES])
def test_what_is_linked_is_there(name):
    text = PAGES.get(name, README)
    home = DOCS if name in PAGES else ROOT
    for _, link in LINK.findall(FENCED.sub("", text)):
        if "://" not in link:
            assert (home / link).is_file(), link


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_one_that_the_app_can_show(name):
    """Its links lead to other pages; it has no picture, because those are not installed, and no markup but Markdown."""
    bare = re.sub(r"`[^`]*`", "", FENCED.sub("", PAGES[name]))
    assert PAGES[name].startswith("# ")
    assert all(not picture and (link.removesuffix(".md") in PAGES) for picture, link in LINK.findall(bare))
    assert not re.search(r"<[a-z/!]|\$|:[a-z-]+\[", bare)
    prose = re.sub(r"^\|.*", "", bare, flags=re.MULTILINE)  # tables are looked up, not read
    assert len(prose.split()) < 1_000, "longer than one reads in three or four minutes: make it two"


def test_every_page_is_linked_by_the_definitions_and_by_the_readme():
    for text, prefix in ((PAGES["definitions"], ""), (README, "assets/docs/")):
        linked = {link for _, link in LINK.findall(text)}
        assert {f"{prefix}{name}.md" for name in PAGES} - linked <= {"definitions.md"}


def test_the_readme_is_short_and_has_two_commands_and_one_picture():
    assert len(README.splitlines()) <= 135
    assert len(re.findall(r"^    python3 -m venv .*$", README, re.MULTILINE)) == 2
    assert len([link for picture, link in LINK.findall(README) if picture]) == 1


def test_every_command_is_told():
    commands = PAGES["commands"]
    top = typer.main.get_command(cli.app)
    for name, command in top.commands.items():
        for full in [f"{name} {below}" for below in getattr(command, "commands", ())] or [name]:
            last = full.rpartition(" ")[2]
            assert f"`{full}" in commands or f"`{last}`" in commands, full


def test_the_table_of_obfuscations_is_what_they_declare():
    register_benchmarks()
    found = re.findall(
        r"^\| `([^`]+)`( \*)? \| (\w+) \| (\w+) \| (yes)? ?\| .* \| (.*) \|$", PAGES["obfuscations"], re.MULTILINE
    )
    assert {
        (call, bool(chosen), changes, reveals, bool(keeps), source)
        for call, chosen, changes, reveals, keeps, source in found
    } == {
        (
            str(Call(one.name, options=tuple((name, p.default) for name, p in one.parameters.items()))),
            one.declares.reconstruction is not None,
            one.declares.changes,
            str(one.declares.access),
            one.declares.keeps_label,
            one.declares.source,
        )
        for one in (obfuscations[name] for name in obfuscations)
    }


def test_the_functions_of_the_python_page_are_there():
    named = re.findall(r"^\| `(\w+)` \|", PAGES["python"], re.MULTILINE)
    assert len(named) == 6
    assert all(callable(getattr(statistics, name)) for name in named)


def test_every_declaration_feature_and_kind_is_told():
    page = FENCED.sub("", PAGES["components"] + PAGES["obfuscations"])
    named = {*re.findall(r"`([^`]+)`", page)}
    kinds = (*(kind.declares for kind in catalogue.KINDS), thefts.declares, obfuscations.declares, benchmarks.declares)
    assert {one.name for kind in kinds for one in fields(kind)} <= named
    assert {*declarations.FEATURES} <= named
    assert all(f"| {kind.replace('-', ' ')} (`{KINDS[kind]}`)" in page for kind in KINDS)
