"""Everything that may go wrong, so often that one can rely on it: what was tried, what must hold, and what came of it.

    python -m tests.benchmarks.faults [--only WORD] [--times N] [--minutes N]

The same faults a few times each are tests (`tests/faults`). Ends with exit code 1 if something did not hold.
"""

import argparse
import sys

from tests.benchmarks.clock import load, show
from tests.faults import crashes, disks, planted, sessions, sharing, views
from tests.faults.fault import Fault, Outcome, UnableError, tried

HEADS = ("fault", "times", "failed", "worst", "seconds", "what must hold")


def row(fault: Fault, found: Outcome) -> list[object]:
    """A line of the table."""
    worst = ", ".join(
        f"{value:,.0f} {name}" if value >= 100 else f"{value:.2g} {name}" for name, value in found.worst.items()
    )
    return [fault.what, found.times, len(found.failed), worst or "-", round(found.seconds), fault.holds]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--only", default="", help="faults whose description holds this")
    options.add_argument("--times", type=int, help="at most so often each")
    options.add_argument("--minutes", type=float, default=60.0, help="of random walks through the app")
    asked = options.parse_args()
    every = [fault for module in (crashes, disks, sharing, planted, views) for fault in module.FAULTS]
    rows, failed = [], 0
    print(load())
    for fault in [*every, *sessions.faults(asked.minutes)]:
        if asked.only not in fault.what:
            continue
        try:
            found = tried(fault, min(fault.many, asked.times or fault.many))
        except UnableError as error:
            rows.append([fault.what, 0, "-", f"not tried: {error}", 0, fault.holds])
        else:
            rows.append(row(fault, found))
            failed += len(found.failed)
            print(*found.failed, sep="\n", end="\n" if found.failed else "")
        print(*rows[-1], sep=" | ", flush=True)  # the table follows; a long run shows that it lives
    show("Faults", HEADS, rows)
    print(load())
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
