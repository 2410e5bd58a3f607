"""What a page shows of suspects, from closed forms: dots, thresholds, paths, bars and p so far; and pools before that."""

import math

import pandas as pd
import pytest

from qurd_core.errors import QurdError
from qurd_core.statistics.verdicts import Count, Fit, Verdict
from qurd_core.views.check.checked import MODELS, Checked
from qurd_core.views.check.pool import candidates, pool


def checked(unrelated, suspects, *, stop="none", level=0.25, hard=(), verdicts=()):
    """Models with agreements as texts; the score is the share of disagreement."""
    rows = [(f"u{n}", "unrelated", f"train(net,{n})", bits) for n, bits in enumerate(unrelated)]
    rows += [(f"h{n}", "hard", "train(vgg,mine)", bits) for n, bits in enumerate(hard)]
    rows += [(name, "suspect", "", bits) for name, bits in suspects.items()]
    table = pd.DataFrame(
        [(name, side, root, bits.count("0") / max(1, len(bits)), bits) for name, side, root, bits in rows], columns=[*MODELS]
    )
    sent = len(next(iter(suspects.values())))
    return Checked("mine", tuple(suspects), "AKH", 6, stop, level, sent, table, tuple(verdicts), seal="5" * 64)


FOUR = ("000001", "000011", "000111", "001111")


def test_a_threshold_leaves_as_many_lineages_below_as_may_be_as_close():
    assert checked(FOUR, {"s": "111111"}).allowed == 0  # 5 lineages with the suspect: a quarter of them is one
    assert checked(FOUR, {"s": "111111"}).threshold == pytest.approx(2 / 6)
    assert checked(FOUR, {"s": "111111"}, level=0.5).threshold == pytest.approx(3 / 6)
    assert checked(FOUR, {"s": "111111", "t": "0" * 6}).threshold is None  # an eighth is less than one of five
    assert checked(FOUR, {"s": "111111"}, stop="peak").threshold is None  # which is decided by the path


def test_a_lineage_is_one_dot_at_its_closest_model_and_one_path_at_its_highest():
    one = checked(FOUR, {"s": "111111"})
    one.models.loc[one.models["model"] == "u2", "root"] = "train(net,3)"
    dots = one.dots
    assert dots.loc[dots["side"] == "unrelated", ["model", "of"]].values.tolist() == [["u0", 1], ["u1", 1], ["u3", 2]]
    paths = one.paths
    assert paths.loc[paths["side"] == "unrelated", "model"].unique().tolist() == ["u0", "u1", "u3"]
    assert one.lineages == 3


def test_paths_are_the_logarithm_of_the_highest_evidence_so_far():
    one = checked(FOUR, {"s": "110111"}, stop="peak")
    path = one.paths[one.paths["model"] == "s"]
    assert [round(10**value, 2) for value in path["evidence"]] == [2.5, 7.0, 7.0, 7.0, 15.1, 43.29]  # p0 = .25
    assert path["hits"].tolist() == [1, 2, 2, 3, 4, 5]
    tops = one.paths[one.paths["side"] == "unrelated"].groupby("model")["evidence"].max()
    assert one.bar == tops.max()
    assert one.so_far("s").tolist()[-1] == 1 / 5  # above all four
    assert one.has_path


def test_what_is_written_is_read_and_what_was_altered_is_not(tmp_path):
    common = {"victim": "mine", "scheme": "AKH", "budget": 6, "questions": 1, "lineages": 4, "smallest_p": 0.2, "needed": 3}
    common |= {"level": 0.25, "method": "m", "assumptions": ("a", "b")}
    refused = Verdict(
        suspect="s",
        asked=0,
        used=0,
        score=math.nan,
        rank=0,
        p=math.nan,
        p_adjusted=math.nan,
        said="refused",
        reason="why.",
        **common,
    )
    closer = Verdict(
        suspect="t",
        asked=6,
        used=3,
        score=0.1,
        rank=0,
        p=0.2,
        p_adjusted=0.2,
        said="closer",
        fit=Fit(9, 8, 7, 9),
        hard=Count(1, 2),
        thieves=None,
        **common,
    )
    one = checked(FOUR, {"s": "111111", "t": "110000"}, verdicts=(refused, closer))
    path = one.write(tmp_path / "x.verdict")
    again = Checked.read(path)
    assert again.verdicts[1] == closer
    assert math.isnan(again.verdicts[0].p) and again.verdicts[0].reason == "why."
    pd.testing.assert_frame_equal(again.models, one.models)
    assert (again.suspects, again.notes, again.seal) == (one.suspects, (), one.seal)
    path.write_bytes(path.read_bytes().replace(b'"u1"', b'"u9"'))
    with pytest.raises(QurdError, match="was altered after it was written"):
        Checked.read(path)
    assert Checked.read(tmp_path / "nothing") is None


def test_letters_follow_from_the_seal_and_tell_nothing_of_the_order():
    names = {f"m{n}": "0" for n in range(4)}
    letters = checked(("0",), names).unnamed
    assert sorted(letters.values()) == ["Model A", "Model B", "Model C", "Model D"]
    reverse = checked(("0",), dict(reversed(names.items()))).unnamed
    assert letters == reverse
    assert list(letters.values()) == sorted(letters.values())  # in the order of the letters
    assert list(letters) != sorted(letters)


PAIRS = pd.DataFrame(
    [("v", "v", "positive", "train(v)"), ("v", "v->x", "positive", "train(v)"), ("v", "h", "hard", "train(h)")]
    + [("v", f"u{n}", "negative", f"train(u{n // 2})") for n in range(6)]
    + [("v", "app", "suspect", "train(u0)")]
    + [("w", "w", "positive", "train(w)")],
    columns=["victim", "suspect", "kind", "root"],
)


def test_a_suspect_leaves_the_pool_with_all_of_its_lineage():
    whole = pool(PAIRS, "v", ())
    assert (whole.models, whole.lineages, whole.hard, whole.thieves, whole.questions, whole.needed) == (6, 3, 1, 1, 1, 19)
    less = pool(PAIRS, "v", ("u0",))
    assert (less.models, less.lineages) == (4, 2)
    assert pool(PAIRS, "v", ("v->x", "h")).thieves == pool(PAIRS, "v", ("v->x", "h")).hard == 0
    assert pool(PAIRS, "v", ("shop",)).lineages == pool(PAIRS, "v", ("app",)).lineages == 3  # of unknown origin
    assert pool(PAIRS, "v", ("a", "b", "c")).needed == 59
    assert (pool(PAIRS, "v", ("a",), "bound").needed, whole.may_tell, whole.smallest_p) == (20, False, 0.25)


def test_models_of_unknown_origin_come_first_and_the_victim_is_no_question():
    assert candidates(PAIRS, "v", ("shop", "app")) == ["shop", "app", "v->x", "h", *(f"u{n}" for n in range(6)), "w"]
