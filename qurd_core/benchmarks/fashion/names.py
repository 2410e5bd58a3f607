"""Names and sizes of what Fashion-MNIST is divided into. Nothing here needs torch."""

CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")

PART, PARTS, DRAWS = 5_000, 6, 3  # of the victims' region: pictures of a part, parts, and draws that leave one out each
ATTACKER, FEW = 20_000, 2_000
QUARTERS, TENTHS = 4, 4  # of the attacker region that unrelated models are trained on
CUTOUTS = 14_000

_PARTS = {
    "victim{}": (DRAWS, "the training pictures of the victims of draw {}"),
    "quarter{}": (QUARTERS, "a quarter of the attacker region, number {}"),
    "tenth{}": (TENTHS, "a tenth of the attacker region, number {}"),
}
REGIONS = {
    "victim": f"the {(PARTS - DRAWS) * PART:,} training pictures that every victim saw",
    **{name.format(n): said.format(n) for name, (most, said) in _PARTS.items() for n in range(1, most + 1)},
    "attacker": f"{ATTACKER:,} other training pictures, for thieves and unrelated models",
    "few": f"{FEW:,} pictures of the attacker region",
    "jittered": "the attacker region, moved and under changed contrast",
    "cutouts": f"{CUTOUTS:,} shapes cut out of ten photographs, on black",
    "test": "the test pictures, seen by no model",
    "train": "5,000 of the pictures that every victim saw, as seeds of queries",
    "noise": "uniform random pixels",
}
