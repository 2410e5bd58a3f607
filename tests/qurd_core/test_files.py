"""What identifies a file is its content, whatever its time says; a large one is not read at every look."""

import hashlib
import os

import pytest

from qurd_core import files
from qurd_core.benchmarks.saved_benchmarks import saved_names
from qurd_core.errors import QurdError
from qurd_core.files import default_folder, file_digest


def rewrite(path, data):
    """Other bytes with the time of the old ones, once the inode's clock has ticked."""
    was = path.stat()
    while path.stat().st_ctime_ns == was.st_ctime_ns:
        path.write_bytes(data)
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (was.st_size, was.st_mtime_ns)


@pytest.fixture
def later(monkeypatch):
    """All files have been quiet for an hour."""
    now = files.time.time_ns()
    monkeypatch.setattr(files.time, "time_ns", lambda: now + 3600 * 10**9)


@pytest.fixture
def reads(monkeypatch):
    """The files that were read."""
    found, read = [], hashlib.file_digest
    monkeypatch.setattr(files.hashlib, "file_digest", lambda file, kind: found.append(file.name) or read(file, kind))
    return found


def test_a_quiet_file_is_read_once(tmp_path, later, reads):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    assert file_digest(path) == file_digest(path) == hashlib.sha256(b"one").hexdigest()
    assert len(reads) == 1


def test_a_file_that_has_just_been_written_is_read_again(tmp_path, reads):
    """It may be written again before any clock ticks."""
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    file_digest(path)
    file_digest(path)
    assert len(reads) == 2


def test_equal_size_and_time_hide_no_change(tmp_path, later):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    file_digest(path)
    rewrite(path, b"two")
    assert file_digest(path) == hashlib.sha256(b"two").hexdigest()


def test_a_file_from_the_future_is_not_trusted(tmp_path, later, reads):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    os.utime(path, ns=(0, 2 * files.time.time_ns()))
    file_digest(path)
    file_digest(path)
    assert len(reads) == 2


def test_another_file_of_the_same_name_is_another_file(tmp_path, later):
    path, other = tmp_path / "weights", tmp_path / "other"
    path.write_bytes(b"one")
    other.write_bytes(b"two")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    file_digest(path)
    other.replace(path)
    assert file_digest(path) == hashlib.sha256(b"two").hexdigest()


def test_what_changes_while_it_is_read_is_not_kept(tmp_path, later, monkeypatch):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    read = hashlib.file_digest

    def meanwhile(file, kind):
        found = read(file, kind)
        path.write_bytes(b"three")
        return found

    monkeypatch.setattr(files.hashlib, "file_digest", meanwhile)
    file_digest(path)
    monkeypatch.setattr(files.hashlib, "file_digest", read)
    assert file_digest(path) == hashlib.sha256(b"three").hexdigest()


def test_no_file_is_one_sentence(tmp_path):
    with pytest.raises(QurdError, match=r"Expected a file at .*none: No such file"):
        file_digest(tmp_path / "none")


def test_who_has_no_home_is_told_to_name_a_folder(homeless, monkeypatch, tmp_path):
    with pytest.raises(QurdError, match=r"This user has none: name a folder with QURD_STORE\.$"):
        default_folder()
    assert saved_names() == []
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    assert default_folder() == tmp_path


def test_a_draft_is_closed_before_it_takes_its_place_where_files_are_not_locked(tmp_path, monkeypatch):
    """As on Windows, which refuses to rename a file that is open."""
    monkeypatch.setattr(files, "fcntl", None)
    assert files._locked(tmp_path / "draft", "xb").closed
    assert files.publish(tmp_path / "whole", b"x").read_bytes() == b"x"
