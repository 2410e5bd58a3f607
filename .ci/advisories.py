"""Known advisories of what requirements.lock holds. Fails only where a fixed version fits the ranges that we and others ask.

    python .ci/advisories.py PIP_AUDIT

PIP_AUDIT is that program, which asks a service over the network; where that does not answer, one sentence says so and
nothing fails. The packages that are installed beside Python say which versions they take.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
PATIENCE = 300  # seconds


def main(audit: str) -> int:
    command = [audit, "--requirement", str(LOCK), "--disable-pip", "--format", "json"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        found = json.loads(ended.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        say(f"Known advisories of what is locked: not known today, because {audit} gave no answer ({type(error).__name__}).")
        return 0
    lines, fixable = report(found, asked())
    say(*lines)
    return int(fixable)


def report(found: Sequence[Mapping[str, Any]], ranges: Mapping[str, SpecifierSet]) -> tuple[list[str], bool]:
    """What pip-audit found as sentences, and whether a version without an advisory could be locked today.

    A service that does not know a package, as one that cannot be reached, is no all-clear: those are counted.
    """
    known = [package for package in found if "skip_reason" not in package]
    if not known:
        return ["Known advisories of what is locked: not known today, because the service answered for no package."], False
    told = list(advisories(known, ranges))
    silent = f"; the service did not answer for {len(found) - len(known)} more" if len(known) < len(found) else ""
    head = f"Known advisories of {len(known)} locked packages: {len(told)}{silent}."
    return [head, *(sentence for sentence, _ in told)], any(fixable for _, fixable in told)


def asked() -> dict[str, SpecifierSet]:
    """The versions of every package that all installed ones take, this project included."""
    ranges: dict[str, SpecifierSet] = {}
    for installed in distributions():
        for text in installed.requires or ():
            try:
                wanted = Requirement(text)
            except InvalidRequirement:
                continue
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                name = canonicalize_name(wanted.name)
                ranges[name] = ranges.get(name, SpecifierSet()) & wanted.specifier
    return ranges


def advisories(found: Iterable[Mapping[str, Any]], ranges: Mapping[str, SpecifierSet]) -> Iterator[tuple[str, bool]]:
    """Every advisory as a sentence, and whether a version without it could be locked today.

    Args:
        found: what pip-audit says of each package.
        ranges: of `asked`.
    """
    for package in found:
        taken = ranges.get(canonicalize_name(package["name"]), SpecifierSet())
        for advisory in package.get("vulns", ()):
            fixed = [version for version in advisory["fix_versions"] if fits(version, taken)]
            todo = "no version is without it"
            if fixed:
                todo = f"{fixed[0]} is without it and fits: run `.ci/lock --upgrade-package {package['name']}`"
            elif advisory["fix_versions"]:
                todo = f"{', '.join(advisory['fix_versions'])} is without it, but {taken} is asked for"
            yield f"{package['name']} {package['version']}: {advisory['id']}; {todo}.", bool(fixed)


def fits(version: str, taken: SpecifierSet) -> bool:
    try:
        return taken.contains(Version(version))
    except InvalidVersion:
        return False


def say(*lines: str) -> None:
    print(*lines, sep="\n")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
