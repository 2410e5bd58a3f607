"""How often an API is paid twice by whoever is killed again and again: `python -m tests.benchmarks.api_kills [KILLS]`.

A real process asks a real server on the loopback and is ended by SIGKILL after a few requests, at a random moment; the next
one goes on. The server counts.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from qurd_core.benchmarks.own.sources.by_picture import name_of
from tests.qurd_core.suspects.elsewhere.killed import asking
from tests.qurd_core.suspects.elsewhere.shop import KEY, Shop, api_text, label_of, serving


def main(kills: int) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(4 * kills, 3, 4, 4), dtype=np.uint8)
    true = {name_of(picture): label_of(picture) for picture in pixels}
    rng, done, start = random.Random(0), 0, time.monotonic()
    os.environ["SHOP_KEY"] = KEY
    with tempfile.TemporaryDirectory() as folder, serving(Shop()) as shop:
        home = Path(folder)
        np.savez(home / "pictures.npz", pixels=pixels)
        (home / "shop.yaml").write_text(api_text(shop.url, limits={"requests": 10 * len(pixels), "per_second": 1000}))
        shop.pause, shop.random = 0.003, 0.1
        while done < kills:
            process, until = asking(home), shop.requests.total() + rng.randint(1, 5)
            while shop.requests.total() < until and process.poll() is None:
                time.sleep(0.0005)
            time.sleep(rng.uniform(0, 0.006))
            process.send_signal(signal.SIGKILL)
            done += process.wait() == -signal.SIGKILL
        found = json.loads(asking(home).communicate()[0])
        held = [path for path in home.rglob("*") if path.is_file() and KEY in path.read_text("latin-1")]
        paid = shop.answered.total()
    print(f"{done} kills, {len(pixels)} pictures, {shop.requests.total()} requests, {paid} answers paid for")
    print(f"answers as without kills: {found == true}; files with the key: {len(held)}")
    print(f"answers paid for beside one each and ten asked twice: {paid - len(pixels) - 10}, at most {done} allowed")
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
