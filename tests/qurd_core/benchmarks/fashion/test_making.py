"""What Fashion-MNIST's models are made from: regions that share nothing, and files that are what they claim."""

import gzip
from itertools import combinations

import numpy as np
import pytest
import torch

from qurd_core.benchmarks.fashion import making, names, pictures, regions, seeds
from qurd_core.errors import QurdError


@pytest.fixture(autouse=True)
def fresh():
    yield
    pictures.pictures.cache_clear()
    seeds.read.cache_clear()


def test_regions_of_victims_attackers_and_reserve_share_no_picture():
    draws = [set(regions.rows_of(f"victim{number}")) for number in range(1, names.DRAWS + 1)]
    attacker = set(regions.rows_of("attacker"))
    assert len(attacker) == names.ATTACKER
    assert all(len(draw) == 25_000 and not draw & attacker for draw in draws)
    assert set.intersection(*draws) == set(regions.rows_of("victim"))
    assert all(len(one & other) == 20_000 for one, other in combinations(draws, 2))
    assert 60_000 - len(set.union(*draws, attacker)) == 10_000  # for pools that are still to come


@pytest.mark.parametrize(("share", "size"), [("quarter", 5_000), ("tenth", 2_000)])
def test_weak_models_learn_from_parts_of_the_attacker_region_that_share_no_picture(share, size):
    parts = [set(regions.rows_of(f"{share}{number}")) for number in range(1, 5)]
    assert all(len(part) == size and part <= set(regions.rows_of("attacker")) for part in parts)
    assert all(not one & other for one, other in combinations(parts, 2))


def test_every_region_has_words():
    assert set(names.REGIONS) >= {"victim", "attacker", "few", "jittered", "cutouts", *seeds.SPLITS, "noise"}
    with pytest.raises(QurdError, match=r"Unknown region 'atacker'.* Did you mean 'attacker'"):
        regions.images("atacker", "nowhere")


def test_shapes_of_photographs_are_shapes_and_always_the_same(monkeypatch):
    monkeypatch.setattr(regions, "CUTOUTS", 200)
    found, again = regions.cutouts(), regions.cutouts()
    assert torch.equal(found.pixels, again.pixels)
    assert found.pixels.shape == (200, 3, 32, 32)
    black = (found.pixels == 0).float().mean((1, 2, 3))
    assert 0.2 < black.mean() < 0.7  # a border of black and a shape, neither all nor nothing


def test_pictures_that_are_not_there_are_asked_for(tmp_path):
    with pytest.raises(QurdError, match="Install Debian's package dataset-fashion-mnist, or name a folder"):
        pictures.pictures(tmp_path, test=True)


@pytest.mark.parametrize("data", [b"cut", gzip.compress(b"other pictures")], ids=["cut", "other"])
def test_files_that_hold_something_else_are_refused(tmp_path, data):
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(data)
    with pytest.raises(QurdError, match=r"t10k-images-idx3-ubyte\.gz"):
        pictures.pictures(tmp_path, test=True)


def test_the_nearest_picture_is_found():
    others = np.zeros((3, 28, 28), np.uint8)
    others[1], others[2] = 100, 200
    ours = np.full((2, 28, 28), 104, np.uint8)
    ours[1] = 0
    assert making.nearest(ours, others) == pytest.approx([4, 0], abs=1e-3)


def test_pictures_that_nearly_occur_where_suspects_learned_are_no_seeds(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    every, test = rng.integers(0, 256, (60, 28, 28)).astype(np.uint8), rng.integers(0, 256, (6, 28, 28)).astype(np.uint8)
    test[2] = every[7]
    every[20] = every[40]
    rows = {"victim": np.arange(10, 30), "attacker": np.arange(30, 60)}
    data = {True: (test, np.arange(6)), False: (every, np.arange(60) % 10)}
    monkeypatch.setattr(making, "pictures", lambda source, *, test: data[test])
    monkeypatch.setattr(making, "rows_of", rows.get)
    assert making.make_seeds(tmp_path, tmp_path) == {"test": 1, "train": 1}
    found = seeds.read(tmp_path)
    assert found["test"][1].tolist() == [0, 1, 3, 4, 5]
    assert found["train"][1].tolist() == [n % 10 for n in range(10, 30) if n != 20]
    assert seeds.are_whole(tmp_path)


def test_a_damaged_file_of_seeds_is_one_sentence_and_made_again(tmp_path):
    (tmp_path / seeds.FILE).write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(QurdError, match="Expected the pictures that queries are drawn from"):
        seeds.read(tmp_path)
    assert not seeds.are_whole(tmp_path)
