"""The example that ships is what its script makes of the data of scikit-learn, and its records are of today."""

import pandas as pd
import pytest

from qurd_core.benchmarks import base, registered
from qurd_core.benchmarks.own import digits
from qurd_core.paper import agreement
from qurd_core.records import evidence, own_records, rate_records

PATH = registered.EXAMPLES / "digits.parquet"
MAKE = "python -m qurd_core.benchmarks.own.digits && python -m qurd_core sweep --benchmark digits"


def test_it_has_ten_victims_with_five_thieves_each_and_forty_unrelated_models():
    bench = base.benchmark("digits")
    assert len(bench.victims) == 10
    kinds = pd.Series([pair.kind for pair in bench.pairs if pair.victim == bench.victims[0]])
    assert kinds.value_counts().to_dict() == {"negative": 40, "positive": 6}  # the copy is the sixth
    assert set(bench.tasks) == {"same", "label_extraction", "probit_extraction", "labelfew", "quantize"}
    assert PATH.stat().st_size < 1_000_000


@pytest.mark.slow
def test_it_is_what_the_script_makes(tmp_path):
    shipped, made = pd.read_parquet(PATH), pd.read_parquet(digits.write(tmp_path / "digits.parquet"))
    pd.testing.assert_frame_equal(shipped.drop(columns=shipped.filter(like="p_")), made.drop(columns=made.filter(like="p_")))
    pd.testing.assert_frame_equal(shipped.filter(like="p_"), made.filter(like="p_"), atol=0.011)  # one rounding


def test_its_records_are_of_the_file_and_the_schemes_that_ship():
    note = own_records.note_of("digits")
    assert note.whole
    assert (note.state, note.parts) == (registered.state(PATH), own_records.parts()), f"Make it again with `{MAKE}`."
    assert rate_records.has_facts("digits")
    assert not evidence.has_models("digits")


def test_other_modalities_have_a_row_in_rank_agreement():
    table = agreement.read()
    mine = table[(table["one"] == "digits") | (table["other"] == "digits")]
    assert len(mine) == 6 * len(rate_records.RAW_BUDGETS)
    assert (mine.query("budget == 100")["shared"] > 5).all()
    assert (mine.query("budget == 100 and one in @rate_records.EMBEDDED")["shared"] > 30).all()
