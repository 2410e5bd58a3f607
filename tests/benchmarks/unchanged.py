"""What the program says and writes, as digests: for moves and new names, after which nothing may be different.

    python tests/benchmarks/unchanged.py before.json
    python tests/benchmarks/unchanged.py after.json --against before.json

Takes in what ships, the keys of the store, what every command prints, and every element (text, menu, chart) of the app's
views: those of the stories and those of `VIEWS`. The second call names what differs and ends with 1. Links and commands are
tried on an empty store, so nothing is measured but what the commands ask for.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAC = "patchwork-sac"
COMMANDS = (
    "--help",
    "benchmarks --json",
    f"models --benchmark {SAC} --json",
    f"pairs --benchmark {SAC} --json",
    f"separability --benchmark {SAC} --json",
    f"schemes --benchmark {SAC}",
    "schemes --json",
    f"run --benchmark {SAC} --scheme AKH --scheme SAC --budget 20,50 --seeds 2 --json",
    f"run --benchmark {SAC} --scheme AKH --scheme nonsense --budget 20",
    "run --benchmark nowhere --scheme AKH --budget 20",
    "verify-assets",
    "store --help",
    "paper --help",
    "paper claims",
    "paper table1 --json",
    "paper table2 --json",
    "paper table3 --json",
    "paper agreement --json",
)
VIEWS = {  # page -> what its link says
    "leaderboard": ("", "view=table", "view=swap&scheme=SAC", "hard=true", "rule=guaranteed", "bench=published-cifar10"),
    "benchmark": ("", "section=lineage", "section=effort", "section=images", "section=bench"),
    "compose": ("", "pick=SAC", "pick=AKH&columns=labels&hard=true", "bench=patchwork-reuse&task=finetune"),
    "budget": ("", "x=labelled", "panel=distance", "play=true&sent=100", "bench=published-flower102&rule=guaranteed"),
    "separability": ("", "of=SAC&rows=victims", "show=bound", "show=mistakes", "hard=true", "bench=published-cifar10"),
    "queries": ("", "left=uniform(test)&right=noise", "view=telling", "only=disagrees&page=2"),
    "atlas": ("",),
    "paper": ("", "claim=table3", "view=agreement", "view=table2", "view=table3", "view=table3&mode=honest"),
}


def digest(said: str | bytes) -> str:
    return hashlib.sha256(said.encode() if isinstance(said, str) else said).hexdigest()[:16]


def shipped() -> Iterator[tuple[str, str]]:
    """Every file that the program reads, but the declarations of components, which name their modules."""
    for path in sorted((ROOT / "assets").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and path.name not in ("components.json", "digests.json") and "/screens/" not in name:
            yield name, digest(path.read_bytes())


def commands() -> Iterator[tuple[str, str]]:
    """What every command prints and ends with; also which entries its runs leave in the store."""
    with tempfile.TemporaryDirectory() as store:
        around = os.environ | {"QURD_STORE": store, "COLUMNS": "120", "NO_COLOR": "1"}
        for command in COMMANDS:
            asked = [sys.executable, "-m", "qurd_core", *command.split()]
            done = subprocess.run(asked, cwd=ROOT, env=around, capture_output=True, text=True, check=False)
            said = done.stderr if done.returncode else done.stdout  # progress tells times
            yield f"command {command}", digest(f"{done.returncode}\n{said.replace(store, 'STORE')}")
        kept = [path.relative_to(store) for path in Path(store).rglob("*.safetensors")]
        yield "keys of the store", digest("\n".join(sorted(map(str, kept))))


def views() -> Iterator[tuple[str, str]]:
    """Every element of every view, as it goes to the browser."""
    links = {f"/{page}?{link}": (page, link) for page, all_of_page in VIEWS.items() for link in all_of_page}
    for path in sorted((ROOT / "assets" / "stories").glob("*.json")):
        for number, step in enumerate(json.loads(path.read_text())["steps"], start=1):
            links[f"/{path.stem} {number}"] = (step["page"], f"story={path.stem}&step={number}")
    with tempfile.TemporaryDirectory() as store:
        os.environ["QURD_STORE"] = store
        yield from ((name, digest(_shown(*link))) for name, link in links.items())


def _shown(page: str, link: str) -> bytes:
    from urllib.parse import parse_qs

    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.switch_page(f"pages/{page}.py")
    for key, values in parse_qs(link).items():
        app.query_params[key] = values
    app.run()
    elements = [element.proto for element in chain(app.main, app.sidebar) if getattr(element, "proto", None)]
    elements = [proto for proto in elements if getattr(proto, "language", "") != "python"]  # names modules, on purpose
    # Pictures lie at addresses that a server makes up, and an arrival has a number that is drawn.
    texts = [re.sub(rb"[0-9a-f]{32,64}", b"#", proto.SerializeToString(deterministic=True)) for proto in elements]
    return b"\n".join([str(len(texts)).encode(), *texts])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--only", choices=("shipped", "commands", "views"))
    options = parser.parse_args()
    parts = {"shipped": shipped, "commands": commands, "views": views}
    found = dict(chain.from_iterable(part() for name, part in parts.items() if options.only in (None, name)))
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    if not options.against:
        return 0
    before = json.loads(options.against.read_text())
    differs = [name for name, value in found.items() if before.get(name) != value]
    print(*differs, f"{len(found) - len(differs)} of {len(found)} as before", sep="\n")
    return int(bool(differs))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
