"""What the page on the paper says: its claims, tables and agreement between benchmarks."""

import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.paper.names import PRINTED_CELLS, QUERY_SAMPLING, SEED_SETS
from qurd_core.paper.row import VERDICTS, Claim
from qurd_core.records.scheme_table import LEVELS
from qurd_core.schemes import REFERENCE

_TOKEN = re.compile(r"`(\w+)`")
_HALF = 0.00501  # a number printed with two decimals is off by at most half of the last one


def headline(claims: Sequence[Claim]) -> str:
    """How many claims the scores support."""
    count = Counter(claim.verdict for claim in claims)
    supported, others, unknown = (count[verdict] for verdict in VERDICTS)
    return (
        f"{supported} of the paper’s {len(claims)} claims are supported by its scores, {others} are not, {unknown} are not "
        "testable here"
    )


def told(text: str) -> str:
    """A sentence of a claim, with its tasks in words."""
    return _TOKEN.sub(lambda found: words.task(found[1]), text)


def alt(claims: Sequence[Claim]) -> str:
    """The chart in words."""
    return f"A mark per claim of the paper, by its section. {headline(claims)}."


def agreement_headline(table: pd.DataFrame, at: int) -> str:
    """Where ranks agree most and least."""
    rows = table[table["budget"] == at].sort_values("tau")
    if rows.empty:
        return f"No two benchmarks share combinations at {at} queries"
    low, high = rows.iloc[0], rows.iloc[-1]
    return (
        f"Ranks agree most on {high['one']} and {high['other']} (tau {high['tau']:.2f}), "
        f"least on {low['one']} and {low['other']} ({low['tau']:.2f})"
    )


def tasks_headline(rows: pd.DataFrame) -> str:
    """How many tasks the two benchmarks do not share."""
    differ = tasks_apart(rows)
    return f"The paper’s benchmarks differ in {len(differ)} of {rows['task'].nunique()} tasks: its text says two"


def tasks_apart(rows: pd.DataFrame) -> list[str]:
    """The tasks that not all data sets have, by what was counted."""
    has = rows.assign(has=rows["stolen"] > 0).groupby("task", sort=False)["has"]
    return has.nunique().loc[lambda kinds: kinds > 1].index.tolist()


def tasks_subline(rows: pd.DataFrame) -> str:
    """Whether the printed ticks are those of the scores."""
    right = int((rows["printed"] == (rows["stolen"] > 0)).sum())
    cells = f"all {len(rows)}" if right == len(rows) else f"{right} of {len(rows)}"
    return f"Table 2: ✓ and × as printed, numbers as counted in the published scores; {cells} cells agree"


def table_headline(rows: pd.DataFrame, mode: str) -> str:
    """How many cells are as printed, or how many stand apart from the reference."""
    if mode == "paper":
        off = (rows["tpr"] - rows["printed"]).abs().clip(lower=(rows["plus_minus"] - rows["printed_plus_minus"]).abs())
        match, cells = int((off <= _HALF).sum()), len(rows)
        return f"Table 3 recomputed: {f'all {cells}' if match == cells else f'{match} of {cells}'} cells match"
    told, refused = rows["verdict"].value_counts(), int(rows["tpr"].isna().sum())
    decided = rows.loc[rows["verdict"].isin(["beats", "trails"]), "independent_victims"]
    few = "" if decided.empty or decided.max() > 1 else ", on one victim"
    return (
        f"The guaranteed rule refuses {refused} of {len(rows)} cells of Table 3; {told.get('beats', 0)} above {REFERENCE}, "
        f"{told.get('trails', 0)} below{few}"
    )


def table_subline(mode: str) -> str:
    """What a cell is."""
    if mode == "paper":
        return (
            "TPR by the paper rule at 5% false alarms and 100 queries: mean over victims, data sets and query seeds, "
            "± .95 s.d. / √5 over query seeds; a cell matches if it rounds to what is printed"
        )
    return (
        "A threshold that flags a fresh unrelated model with a chance of at most 5%; small: 95% interval over models and "
        "query seeds, and what an exact test says against AKH on the data sets that both have"
    )


def beyond(rows: pd.DataFrame, reveal: str) -> pd.DataFrame:
    """Table 1 with `withheld`: why the suspect's answers do not allow a scheme that runs here; empty where they do.

    Args:
        rows: from `tables.table1`.
        reveal: what the suspect reveals, one of `LEVELS`.
    """
    more = rows["here"] & (rows["level"] > LEVELS[reveal])
    return rows.assign(withheld=[words.needs(access, reveal) * so for access, so in zip(rows["access"], more, strict=True)])


def atlas_headline(rows: pd.DataFrame, examples: dict[tuple[str, str], str], reveal: str) -> str:
    """How many printed schemes run here, how many of them with what the suspect reveals, and how many cells of the table are
    empty though parts for them are here.

    Args:
        rows: from `beyond`.
        examples: of `tables.compatible`.
        reveal: what the suspect reveals, one of `LEVELS`.
    """
    here = set(rows.loc[rows["here"], "scheme"])
    untried = set(examples) - {*zip(rows["row"], rows["column"], strict=True)}
    said = f"{len(here & set(PRINTED_CELLS))} of the {len(PRINTED_CELLS)} schemes of the paper’s Table 1 run here"
    fitting = set(rows.loc[rows["here"] & (rows["withheld"] == ""), "scheme"])
    if fitting != here:
        said += f", {len(fitting & set(PRINTED_CELLS))} of them with {words.REVEALED[reveal]}"
    if not untried:
        return f"{said}; every cell that parts are here for has a scheme"
    return f"{said}; {words.counted(len(untried), 'cell')} that nobody published in can be tried"


def atlas_subline(rows: pd.DataFrame, number: int, reveal: str) -> str:
    """What most schemes do, how many combinations there are, and what is grey."""
    columns = rows.groupby("column", sort=False)["scheme"].nunique()
    most = columns.idxmax()
    rebuilt = sorted(rows.loc[rows["reconstruction"], "scheme"].unique())
    more = f"; in brackets: needs more than {words.REVEALED[reveal]}" if (rows["withheld"] != "").any() else ""
    told = f" † is a reconstruction: {words.listed(rebuilt)}." if rebuilt else ""
    return (
        f"{columns.max()} of {rows['scheme'].nunique()} schemes make queries by {QUERY_SAMPLING[most]} sampling. "
        f"{number:,} combinations of parts go together. Grey: printed, not here{more}. Click a cell to compose.{told}"
    )


def atlas_alt(rows: pd.DataFrame) -> str:
    """The table in words."""
    cells = rows.groupby(["row", "column"], sort=False)["scheme"].agg(list)
    said = "; ".join(
        f"{QUERY_SAMPLING[column]} of the {SEED_SETS[row]}: {', '.join(names)}" for (row, column), names in cells.items()
    )
    beyond = rows[rows["withheld"] != ""].drop_duplicates("scheme")
    grey = "".join(f" {row.scheme} {row.withheld}." for row in beyond.itertuples())
    return f"Seed sets by ways of making queries. {said}.{grey}"
