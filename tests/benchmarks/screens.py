"""Take the pictures of every page: python tests/benchmarks/screens.py OUT. The README shows `leaderboard-light.webp`.

Each page in light and dark at 1440x900, and on stage, dark, at 1920x1080, on the shipped records and an empty store.
"""

import argparse
import io
from pathlib import Path

from latency import FLAGS, server
from PIL import Image
from playwright.sync_api import Page, sync_playwright

PAGES = {  # name of the picture -> link
    "leaderboard": "leaderboard?",
    "benchmark": "benchmark?",
    "bench": "benchmark?section=bench",
    "compose": "compose?pick=SAC",
    "budget": "budget?",
    "play": "budget?play=true&sent=100",
    "separability": "separability?",
    "queries": "queries?",
    "telling": "queries?view=telling",
    "check": "check?bench=patchwork-sac&victim=train(dense,victim)&suspect=train(dense,victim,seed=1)&stop=peak&view=path",
    "paper": "paper?",
    "published": "leaderboard?bench=published-sdog120",
}
LOOKS = {  # name -> colour scheme, size, rest of the link
    "light": ("light", (1440, 900), ""),
    "dark": ("dark", (1440, 900), ""),
    "stage": ("dark", (1920, 1080), "&stage=true"),
}
QUALITY = 70


def settle(page: Page) -> None:
    """Until the page is still: script ended, charts drawn, no picture on its way."""
    page.wait_for_selector("h2")
    page.wait_for_function("!document.querySelector('[data-test-script-state=running]')")
    page.wait_for_function("[...document.querySelectorAll('.js-plotly-plot')].every(n => n.querySelector('.main-svg'))")
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton], [data-testid=stProgress], .waiting')")
    page.wait_for_timeout(1_500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with server() as (address, _), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=options.chromium, args=FLAGS)
        for look, (scheme, (width, height), rest) in LOOKS.items():
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            for name, link in PAGES.items():
                page = context.new_page()
                page.set_default_timeout(120_000)
                page.goto(f"http://{address}/{link}{rest}")
                settle(page)
                path = options.out / f"{name}-{look}.webp"
                Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=QUALITY, method=6)
                print(path, path.stat().st_size)
                page.close()
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
