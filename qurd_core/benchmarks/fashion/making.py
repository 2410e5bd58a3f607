"""What `build fashion` does before it trains: the seed sets, without pictures that nearly occur where a suspect learned."""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from qurd_core.benchmarks.fashion import seeds
from qurd_core.benchmarks.fashion.names import REGIONS
from qurd_core.benchmarks.fashion.pictures import PACKAGE, pictures
from qurd_core.benchmarks.fashion.regions import images, rows_of
from qurd_core.benchmarks.zoo.supplies import World

TRAIN_SEEDS = 5_000
NEAR = 5.0  # root mean square distance in grey levels below which two pictures are near-duplicates
CHUNK = 1_000


def world(home: Path, source: Path = PACKAGE) -> World:
    """What the models of Fashion-MNIST are made from.

    Args:
        home: their folder, which holds the seed sets, too.
        source: the folder of Fashion-MNIST's files.
    """
    epochs = {"vgg": 5, "res": 5, "dense": 6, "mb": 6}
    made = partial(images, home=home, source=source)
    return World(made, tuple(REGIONS), epochs=epochs, rate=1e-2, enough=20_000, half=True)


def make_seeds(home: Path, source: Path = PACKAGE) -> dict[str, int]:
    """Publish the seed sets: the test pictures, and as many of what every victim saw as schemes can draw.

    Returns:
        per seed set, how many pictures were left out: a test picture that nearly occurs among the 60,000 others, or one of
        the victims' that nearly occurs in the attacker region.
    """
    every, classes = pictures(source, test=False)
    test, truth = pictures(source, test=True)
    near_test = nearest(test, every) < NEAR
    saw = rows_of("victim")
    near_train = nearest(every[saw], every[rows_of("attacker")]) < NEAR
    kept = saw[~near_train][:TRAIN_SEEDS]
    seeds.write(home, {"test": (test[~near_test], truth[~near_test]), "train": (every[kept], classes[kept])})
    return {"test": int(near_test.sum()), "train": int(near_train.sum())}


def nearest(ours: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) root mean square distance of each picture to the nearest of some others, in grey levels."""
    there = torch.tensor(others.reshape(len(others), -1), dtype=torch.float32)
    squares = (there**2).sum(1)
    found = []
    for chunk in torch.tensor(ours.reshape(len(ours), -1), dtype=torch.float32).split(CHUNK):
        distances = (chunk**2).sum(1, keepdim=True) + squares - 2 * chunk @ there.T
        found.append(distances.amin(1).clamp_min(0))
    return (torch.cat(found) / there.shape[1]).sqrt().numpy()
