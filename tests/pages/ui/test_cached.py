"""What is kept between reruns: made once, and anew when the file behind it changes."""

import pytest

from pages.ui import cached
from qurd_core.records import evidence


@pytest.fixture
def made():
    """What was made, one entry for every time."""
    return []


def test_a_read_is_made_once_until_its_file_changes(tmp_path, made):
    @cached.kept(4, of=lambda path: path.read_text())
    def text(path, end="", *, many=1):
        made.append((path.name, end, many))
        return path.read_text() * many + end

    path = tmp_path / "read"
    path.write_text("a")
    assert [text(path), text(path), text(path, ".", many=2)] == ["a", "a", "aa."]
    path.write_text("b")
    assert [text(path), text(path)] == ["b", "b"]
    assert made == [("read", "", 1), ("read", ".", 2), ("read", "", 1)]


def test_two_reads_of_one_question_keep_a_result_each(tmp_path):
    """Streamlit would keep one for all functions that `kept` wraps if it did not see their names."""

    @cached.kept(4, of=str)
    def one(path):
        return "one"

    @cached.kept(4, of=str)
    def other(path):
        return "other"

    assert (one(tmp_path), other(tmp_path)) == ("one", "other")


def test_parts_of_a_benchmark_share_what_is_the_same_for_the_whole(monkeypatch, made):
    monkeypatch.setattr(evidence, "base_of", lambda benchmark: "whole")

    @cached.kept(4, of=str, whole=True)
    def shared(benchmark):
        made.append(benchmark)
        return benchmark

    assert [shared("one part"), shared("another")] == ["whole", "whole"]
    assert made == ["whole"]
