"""Tables that come over a page: kept within limits, checked before anybody finds them, gone where something is wrong."""

import os

import pytest

from qurd_core.benchmarks import base, registered
from qurd_core.benchmarks.own import uploads
from qurd_core.errors import QurdError
from qurd_core.jobs.kinds import upload_job
from tests.qurd_core.benchmarks.own.test_answer_table import answers


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("QURD_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


def table(change=lambda rows: rows):
    return change(answers()).to_csv(index=False).encode()


def check(store, data, name="answers.csv"):
    uploads.keep(name, data)
    upload_job.run(store, store / "job", lambda done, total: None, name=uploads.called(data))


def test_a_sound_table_gets_a_name_by_what_it_holds_after_it_was_checked(store):
    data = table()
    uploads.keep("answers.csv", data)
    assert registered.names() == [*registered.examples()]
    check(store, data)
    name = uploads.called(data)
    assert registered.called(name) == name
    assert registered.read(name).uploaded
    assert len(base.benchmark(name).victims) == 1
    parquet = answers()
    parquet.to_parquet(store / "answers.parquet", index=False)
    check(store, (store / "answers.parquet").read_bytes(), "ANSWERS.PARQUET")
    assert len(registered.names()) == 2 + len(registered.examples())


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b"a,b\n1,2\n", "item"),
        (table(lambda rows: rows.drop(columns="label")), "label"),
        (table(lambda rows: rows[rows["model"] == "mine"]), ""),
        (b"", "empty"),
    ],
    ids=["others", "no-labels", "one-model", "empty"],
)
def test_what_is_wrong_in_a_table_is_one_sentence_without_its_place_and_nothing_is_kept(store, data, wrong):
    with pytest.raises(QurdError) as told:
        check(store, data)
    assert wrong in str(told.value)
    assert str(store) not in str(told.value)
    assert registered.names() == [*registered.examples()]
    assert not [*(store / "uploads").glob("own-*")]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("answers.txt", b"item,truth"),
        ("answers.zip", b"PK\x03\x04"),
        ("answers.csv", b"PAR1"),
        ("answers.csv", b"a,\0b"),
        ("answers.parquet", b"item,truth"),
        ("../../answers", b"item,truth"),
        ("manifest.yaml", b"classes: 3"),
    ],
)
def test_other_kinds_of_files_are_refused_by_their_first_bytes_and_not_only_by_their_names(store, name, data):
    with pytest.raises(QurdError, match=r"Expected a table of answers as \.csv or \.parquet"):
        uploads.keep(name, data)
    assert not store.exists()


def test_one_table_and_all_of_them_have_a_limit(store, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST", 100)
    monkeypatch.setattr(uploads, "ALL", 150)
    with pytest.raises(QurdError, match="Expected a table of at most"):
        uploads.keep("a.csv", b"x" * 101)
    uploads.keep("a.csv", b"x" * 100)
    uploads.keep("a.csv", b"x" * 100)  # the same one takes no more room
    with pytest.raises(QurdError, match="of uploaded tables on this server"):
        uploads.keep("b.csv", b"y" * 51)
    uploads.keep("b.csv", b"y" * 50)


def test_what_was_brought_more_than_a_day_ago_has_expired(store):
    path = uploads.keep("a.csv", table())
    assert uploads.expired() == []
    day = path.stat().st_mtime - uploads.KEPT - 1
    os.utime(path, (day, day))
    assert uploads.expired() == [path.stem]
    uploads.drop(path.stem)
    assert not path.exists()
    with pytest.raises(QurdError, match="It is gone: upload it again"):
        uploads.waiting(path.stem)
