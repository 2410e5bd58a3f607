"""Every gradable claim of the paper, in its order: what it says and printed, what the scores give, and what that is worth.

A claim is *supported*, *not supported by these scores*, or *not testable here*. Numbers are computed from what ships; the
verdict follows from them by the rule that `method` tells, so another summary may give another verdict.
"""

import json
from dataclasses import asdict
from pathlib import Path

from qurd_core.errors import QurdError
from qurd_core.files import publish, read_json
from qurd_core.paper import claims_on_benchmarks, claims_on_schemes
from qurd_core.paper.facts import Facts
from qurd_core.paper.row import Claim, Row
from qurd_core.records import rate_records

FILE = "claims.json"
CLAIMS: tuple[Row, ...] = (*claims_on_schemes.ROWS, *claims_on_benchmarks.ROWS)


def claims(facts: Facts | None = None) -> list[Claim]:
    """All claims in the paper's order."""
    facts = facts or Facts()
    return [row.grade(facts) for row in CLAIMS]


def read(folder: Path | None = None) -> list[Claim]:
    """The claims as they ship, graded by `export-summary`.

    Raises:
        QurdError: the file is missing or damaged.
    """
    path, again = (folder or rate_records.PUBLISHED_FOLDER) / FILE, f"Make it again with `{rate_records.EXPORT}`."
    try:
        return [Claim(**row) for row in read_json(path, again)]
    except (OSError, TypeError) as error:
        raise QurdError(f"Cannot read {path}: {error}. {again}") from None


def write(folder: Path) -> Path:
    """Grade the claims on the summaries of a folder, into that folder."""
    text = json.dumps(rows(Facts(folder)), indent=1, ensure_ascii=False) + "\n"
    return publish(folder / FILE, text.encode())


def rows(facts: Facts | None = None) -> list[dict[str, str]]:
    """The claims as plain rows."""
    return [asdict(claim) for claim in claims(facts)]
