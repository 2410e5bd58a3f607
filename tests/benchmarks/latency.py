"""How long the app takes to answer, in headless Chromium, and what many sessions cost the server.

    python -m tests.benchmarks.latency [--clicks 20] [--pages budget,queries]

A time runs from the click to two frames after the last change that the click caused: `performance.now()` in the page,
polled in every frame until the page's script has ended. A chart has changed when it holds other data, which Plotly draws in
the same step. Of the points of a chart, those are picked that lie apart from all others. The server is a fresh one with the
shipped records and an empty store. Sessions are counted with plain web sockets, which ask for pages as browsers do.
"""

import argparse
import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright

from qurd_core.evaluation.timing.clock import family, memory_of
from qurd_core.files import ROOT
from tests.benchmarks.clock import load, show

PAGES = ("leaderboard", "benchmark", "compose", "budget", "separability", "queries", "check", "atlas", "paper")
READING = ("leaderboard", "benchmark", "budget", "separability", "paper")
COMPUTING = ("compose", "queries")
WARM_UP, PATIENCE = 2, 15_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
TARGETS = {"control": 500, "pick": 800, "switch": 400, "progress": 500, "cancel": 1_000}  # milliseconds, 95th percentile

# What the page shows, as a text; data of a chart counts by identity, because Plotly gets new data only when it changed.
WATCH = """() => {
    const seen = new WeakMap(); let next = 0;
    const name = thing => { if (!seen.has(thing)) seen.set(thing, ++next); return seen.get(thing) };
    const main = () => document.querySelector('[data-testid=stMain]');
    window.now_shown = () => [...[...document.querySelectorAll('h2')].map(h => h.textContent),
        ...[...document.querySelectorAll('.js-plotly-plot')].map(g => g.data ? name(g.data) : 0),
        ...[...main().querySelectorAll('img')].map(image => image.src.slice(-40)),
        ...[...document.querySelectorAll('.st-key-notice p')].map(toast => toast.textContent),
        main().textContent.length].join('|');
    window.headline = () => document.querySelector('[data-testid=stMain] :is(h2, h3)')?.textContent;
    window.idle = () => !document.querySelector('[data-test-script-state=running]')
        && [...document.querySelectorAll('.js-plotly-plot')].every(g => g.querySelector('.main-svg'))
        && !document.querySelector('[data-testid=stSkeleton]');
    window.expect_word = word => {
        window.took = null;
        document.addEventListener('click', () => {
            const start = performance.now();
            const look = () => main().textContent.includes(word)
                ? requestAnimationFrame(() => { window.took = performance.now() - start })
                : requestAnimationFrame(look);
            requestAnimationFrame(look);
        }, {capture: true, once: true});
    };
    window.expect_change = ([event, what]) => {
        const shown = window[what], before = shown();
        window.took = null;
        document.addEventListener(event, () => {
            const start = performance.now();
            let latest = before, frame = 0, changed = 0, at = null;
            const look = () => {
                frame += 1;
                if (shown() && shown() !== latest) { latest = shown(); changed = frame; at = null }
                if (changed && frame === changed + 2) at = performance.now() - start;
                if (at === null || latest === before || !idle()) return requestAnimationFrame(look);
                window.took = at;
            };
            requestAnimationFrame(look);
        }, {capture: true, once: true});
    };
}"""
# Points that can be picked, as places in the window; every chart, at most 400.
POINTS = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(chart => {
    const box = chart.getBoundingClientRect(), found = [];
    for (const trace of chart._fullData ?? []) {
        if (trace.type !== 'scatter' || !trace.customdata || trace.hoverinfo === 'skip') continue;
        const axis = name => chart._fullLayout[name.replace(/^./, letter => letter + "axis")];
        const x = axis(trace.xaxis), y = axis(trace.yaxis);
        for (let at = 0; at < Math.min(trace.x.length, 400); at++) {
            const size = Array.isArray(trace.marker?.size) || trace.marker?.size?.length ? trace.marker.size[at] : 9;
            if (!size || trace.y[at] == null) continue;
            found.push([box.left + x._offset + x.c2p(x.d2c(trace.x[at])), box.top + y._offset + y.c2p(y.d2c(trace.y[at]))]);
        }
    }
    const apart = (a, b) => a === b || Math.hypot(a[0] - b[0], a[1] - b[1]) > 24;
    return found.filter(point => found.every(other => apart(point, other))).filter(
        ([x, y]) => x > box.left && x < box.right && y > box.top && y < Math.min(box.bottom, innerHeight));
})"""
# A control of the page that is not chosen: a segment, else a switch.
CONTROL = (
    ".st-key-controls [data-testid=stButtonGroup] button[aria-checked=false], .st-key-controls [data-testid=stCheckbox]"
)


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """A server of its own; gives its address and process number."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with tempfile.TemporaryDirectory() as store:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": os.environ | {"QURD_STORE": store}}
        process = subprocess.Popen(command, cwd=ROOT, **quiet)
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(30)


def visit(browser, address: str, page: str) -> Page:
    """The page in a fresh profile, settled."""
    opened = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    opened.set_default_timeout(60_000)
    opened.goto(f"http://{address}/{page}")
    opened.wait_for_selector("h2, h3")
    opened.evaluate(WATCH)
    opened.wait_for_function("idle()")
    opened.wait_for_timeout(1_500)
    return opened


def first_chart(browser, address: str) -> float:
    """Milliseconds from the first request of a new browser to a fresh server until a chart is drawn."""
    page = browser.new_context().new_page()
    page.goto(f"http://{address}/budget")
    page.wait_for_selector(".js-plotly-plot .main-svg .trace")
    return page.evaluate("performance.now()")


def change(page: Page, event: str, act, what: str = "now_shown") -> float | None:
    """Milliseconds from the event until what the page shows has changed; None if nothing did."""
    page.evaluate("asked => expect_change(asked)", [event, what])
    act()
    try:
        return page.wait_for_function("took", timeout=PATIENCE).json_value()
    except Error:
        return None


def controls(page: Page, clicks: int) -> list[float | None]:
    """Segments and switches of the page in turn, each a new state."""
    if not page.locator(CONTROL).count():
        return []
    return [change(page, "click", lambda: page.locator(CONTROL).first.click()) for _ in range(clicks)]


def benchmarks(page: Page, clicks: int) -> list[float | None]:
    """From one benchmark to the other and back; the Paper page shows all of them at once."""
    if "paper" in page.url:
        return []
    other = page.locator(".st-key-bar button[aria-checked=false]").first
    return [change(page, "click", other.click) for _ in range(clicks)]


def picks(page: Page, clicks: int) -> list[float | None]:
    """Points of the page's charts, drawn at random. Where only a few can be held, each is picked and let go."""
    chance, times, held = random.Random(0), [], "compose" not in page.url
    for turn in range(clicks):
        if turn % 2 == 0 or not held:
            places = page.evaluate(POINTS)
            if not places:
                return []
            x, y = chance.choice(places)
            page.mouse.move(0, 0)
        page.mouse.move(x, y)
        page.wait_for_timeout(120)  # Plotly reports a click on what it has found under the pointer
        times.append(change(page, "mouseup", lambda x=x, y=y: page.mouse.click(x, y)))
        page.wait_for_timeout(250)
    return times


def switches(browser, address: str, rounds: int) -> dict[str, list[float | None]]:
    """From page to page along the row above them, after every page was open once."""
    page, times = visit(browser, address, PAGES[-1]), {name: [] for name in PAGES}
    for turn in range(rounds + 1):
        for name in PAGES:
            link = page.locator("[data-testid=stTopNavLink]", has_text=name.title()).first
            took = change(page, "click", link.click, "headline")
            times[name] += [took] if turn else []
            page.wait_for_timeout(400)
    return times


LIVE = {  # runs that no record has -> milliseconds until the first point on the chart
    "uniform(test) | topk(k=2) | hamming": 5_000,
    "uniform(test)->pgd(eps=0.05) | labels | hamming": 15_000,
}


def idle(pid: int) -> None:
    """Wait until no process of the server computes any more: the worker is then prepared."""

    def spent() -> int:
        ticks = 0
        for one in family(pid):
            with suppress(OSError):
                ticks += sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:13]))
        return ticks

    quiet = 0
    while quiet < 3:
        before = spent()
        time.sleep(1)
        quiet = quiet + 1 if spent() - before < 10 else 0  # a tick is a hundredth of a second


def until(page: Page, button: str, word: str) -> float | None:
    """Milliseconds from the click on a button until the page says a word; None if it does not, or the button has gone."""
    page.evaluate("word => expect_word(word)", word)
    try:
        page.get_by_role("button", name=button).click(timeout=PATIENCE)
        return page.wait_for_function("took", timeout=PATIENCE).json_value()
    except Error:
        return None


def live(browser, address: str, pid: int) -> list[list[object]]:
    """From the click on Run to the progress, to the first point, and from the click on Cancel to the end."""
    rows = []
    for scheme, target in LIVE.items():
        page = visit(browser, address, f"compose?pick={scheme.replace(' ', '+')}")
        page.get_by_role("button", name="Run").wait_for(timeout=120_000)
        idle(pid)
        started = time.perf_counter()
        shown = [until(page, "Run", "Cancel")]
        page.locator(".js-plotly-plot").get_by_text("live 1 of 5").first.wait_for(timeout=120_000)
        first = 1000 * (time.perf_counter() - started)
        stopped = []
        while len(stopped) < 8 and (took := until(page, "Cancel", "Stopped")):  # until the run ends by itself
            stopped.append(took)
            idle(pid)  # a worker that had to be ended is ready again
            shown.append(until(page, "Run", "Cancel"))
            page.wait_for_timeout(1_500)
        rows.append([f"{scheme}: first point", 1, 0, round(first), "", target, "yes" if first <= target else "NO"])
        rows.append(row(f"{scheme}: progress", shown, TARGETS["progress"]))
        rows.append(row(f"{scheme}: cancel", stopped, TARGETS["cancel"]))
        page.context.close()
    return rows


def row(what: str, times: list[float | None], target: float) -> list[object]:
    """A line of the table; clicks that changed nothing are counted and not timed."""
    known = sorted(value for value in times if value is not None)
    silent = len(times) - len(known)
    if len(known) < 2:
        return [what, len(known), silent, "-", "-", target, "-"]
    high = statistics.quantiles(known, n=20, method="inclusive")[-1]
    return [
        what,
        len(known),
        silent,
        round(statistics.median(known)),
        round(high),
        target,
        "yes" if high <= target else "NO",
    ]


async def session(address: str, page: str, stay: asyncio.Event | None = None) -> str | None:
    """Open a page as a browser does, until its script has ended; what went wrong, or None."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.asyncio.client import connect

    ask = BackMsg()
    ask.rerun_script.page_name = page
    try:
        async with asyncio.timeout(60), connect(f"ws://{address}/_stcore/stream", max_size=None) as channel:
            await channel.send(ask.SerializeToString())
            async for data in channel:
                message = ForwardMsg.FromString(data)
                if message.delta.new_element.WhichOneof("type") == "exception":
                    return message.delta.new_element.exception.message
                if message.WhichOneof("type") == "script_finished" and not message.script_finished:
                    break
            if stay:
                await stay.wait()
    except (OSError, TimeoutError, EOFError) as error:
        return repr(error)
    return None


async def many(address: str, count: int, seconds: float, pages: tuple[str, ...]) -> tuple[list[str], float]:
    """Sessions that open one after the other within some seconds; their errors, and how long the last took to end."""
    tasks, started = [], time.perf_counter()
    for number in range(count):
        tasks.append(asyncio.create_task(session(address, pages[number % len(pages)])))
        await asyncio.sleep(seconds / count)
    found = [error for error in await asyncio.gather(*tasks) if error]
    return found, time.perf_counter() - started


async def memory(address: str, pid: int, count: int, pages: tuple[str, ...]) -> tuple[float, list[str]]:
    """Megabytes of the server's processes, as a sum of PSS, while sessions stay on their pages."""
    stay = asyncio.Event()
    tasks = [asyncio.create_task(session(address, pages[number % len(pages)], stay)) for number in range(count)]
    await asyncio.sleep(20)
    held = memory_of(pid) / 1e6
    stay.set()
    return held, [error for error in await asyncio.gather(*tasks) if error]


def clicks_table(browser, address: str, pages: list[str], clicks: int) -> list[list[object]]:
    rows = []
    for name in pages:
        for what, measure, target in (
            ("control", controls, "control"),
            ("benchmark", benchmarks, "control"),
            ("pick", picks, "pick"),
        ):
            page = visit(browser, address, name)
            times = measure(page, clicks + WARM_UP)[WARM_UP:]
            page.context.close()
            if times:
                rows.append(row(f"{name}: {what}", times, TARGETS[target]))
                print(*rows[-1], flush=True)  # the table follows; a long run shows that it lives
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--clicks", type=int, default=20)
    options.add_argument("--pages", default=",".join(PAGES))
    options.add_argument("--chromium", default="/usr/bin/chromium")
    asked = options.parse_args()
    print(load())
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=asked.chromium, args=FLAGS)
        with server() as (address, _):
            cold = first_chart(browser, address)
        with server() as (address, _):
            rows = clicks_table(browser, address, asked.pages.split(","), asked.clicks)
            rounds = -(-asked.clicks // len(PAGES))
            by_page = switches(browser, address, max(rounds, 4))
            rows += [row(f"switch to {name}", times, TARGETS["switch"]) for name, times in by_page.items()]
            rows.append(row("switch, all", [took for times in by_page.values() for took in times], TARGETS["switch"]))
        with server() as (address, pid):
            rows += live(browser, address, pid)
        browser.close()
    show("Milliseconds", ["", "clicks", "silent", "median", "p95", "target", "met"], rows)
    print(f"\nFirst chart, fresh server and browser: {cold / 1000:.1f} s (target 6)")
    with server() as (address, pid):
        held, wrong = asyncio.run(memory(address, pid, 12, READING))
        print(f"12 sessions on pages that only read records: {held:.0f} MB (target 400), {len(wrong)} errors {wrong[:2]}")
    with server() as (address, pid):
        held, wrong = asyncio.run(memory(address, pid, 12, COMPUTING))
        print(f"12 sessions on Compose and Queries: {held:.0f} MB (target 1200), {len(wrong)} errors {wrong[:2]}")
    with server() as (address, _):
        wrong, seconds = asyncio.run(many(address, 50, 30, READING))
        print(f"50 sessions opened within 30 s: {len(wrong)} errors {wrong[:2]}, all drawn after {seconds:.0f} s")
    print(load())


if __name__ == "__main__":
    main()
