"""What the benchmark scripts share beside what `qurd speed` measures with: the six schemes, their command, a plain table."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from qurd_core.evaluation.timing.clock import Timed, alternate, load, timed  # noqa: F401 (scripts measure as the command does)

SIX = ("AKH", "Random", "IPGuard", "ModelDiff", "SAC", "ZestOfLIME")
BUDGETS = (10, 20, 50, 100, 200, 400)


def run_command(store: Path, *, seeds: int, budgets: Sequence[int], workers: int) -> list[str]:
    """The arguments of `run` with the six schemes on patchwork-sac."""
    asked = [part for scheme in SIX for part in ("--scheme", scheme)]
    asked += ["--budget", ",".join(map(str, budgets)), "--seeds", str(seeds), "--workers", str(workers)]
    return ["-m", "qurd_core", "run", "--benchmark", "patchwork-sac", "--device", "cpu", "--store", str(store), *asked]


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers are aligned to the right."""
    texts = [list(columns), *([_text(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    print(f"\n{title}")
    for first, *others in texts:
        cells = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        print("  ".join(["", first.ljust(widths[0]), *cells]))


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
