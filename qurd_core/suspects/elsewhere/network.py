"""How an API is asked about pictures: at its pace, within its caps, and each of them until it is answered and no longer.

1. `bill`      what is still to be asked, what that costs and how long it takes; nothing has left yet.
2. `Asking`    request by request; every intent and every answer is on disk before the next request leaves.
3. `answers`   what was answered, in the classes of the benchmark.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from http import HTTPStatus

from qurd_core.benchmarks.own.sources.api_file import Api
from qurd_core.errors import QurdError, visible
from qurd_core.files import json_values
from qurd_core.runtime import Track, silent
from qurd_core.suspects.elsewhere.egress import Line, NoAnswerError, Response
from qurd_core.suspects.elsewhere.journal import Journal

ATTEMPTS = 6  # of one picture
FIRST, LONGEST = 0.5, 60.0  # seconds between two attempts, drawn at random up to these
PATIENCE = 600.0  # seconds that an API may ask to wait
IN_A_ROW = 20  # requests without an answer that stop a run
HOPELESS = 3  # first pictures that end alike, after which nobody tries the others
PASSING = {408, 425, 429}  # of the statuses below 500: worth another attempt
TWICE = 10  # pictures that are asked about twice
SHOWN = 120  # characters of an answer in a sentence

Pictures = Mapping[str, bytes]


@dataclass(frozen=True)
class Bill:
    """What is still to be asked of an API.

    Attributes:
        requests: if every one of them is answered.
        early: a verdict may stand before all of them have left, and the rest is not sent then.
    """

    api: Api
    requests: int
    early: bool = False

    def __str__(self) -> str:
        limits = self.api.limits
        price = f", {'at most ' * self.early}{limits.cost(self.requests)}" if limits.price else ""
        most = f"{limits.most:,} requests" + (f" or {limits.cost(limits.most)}" if limits.price else "")
        return (
            f"{'up to ' * self.early}{self.requests:,} requests to {self.api.host}{price}, about"
            f" {_lasting(self.requests / limits.per_second)}; attempts that fail come on top, up to {most} in all."
        )

    def paid(self, requests: int) -> str:
        """What so many of them have cost, of what all would: `0.03 of 0.23 EUR`; empty where they cost nothing."""
        limits = self.api.limits
        return f"{requests * limits.price:.2f} of {limits.cost(self.requests)}" if limits.price else ""


def bill(
    api: Api,
    pictures: Sequence[str],
    journal: Journal,
    needed: Callable[[str], bool] = lambda picture: True,
    *,
    early: bool = False,
) -> Bill:
    """
    Args:
        needed: whether a picture is worth a request.
        early: see `Bill`.

    Raises:
        QurdError: the caps do not allow so many.
    """
    open_ = sum(name not in journal.answered and needed(name) for name in pictures)
    twice = min(TWICE, len(pictures)) - sum(name in journal.again for name in pictures)
    found = Bill(api, open_ + max(0, twice), early)
    if found.requests > (left := max(0, api.limits.most - journal.requests)):
        cap = "requests" if api.limits.most == api.limits.requests else "spend"
        raise QurdError(
            f"Expected to send {found.requests:,} requests to {api.host}. {left:,} are left of the {api.limits.most:,} that"
            f" {api.path.name} allows in all: raise '{cap}' there, or ask for a smaller budget."
        )
    return found


def answers(api: Api, journal: Journal, classes: Sequence[str]) -> dict[str, list[float]]:
    """By picture, what an API said of each class: see `Api.row`. What is no such answer is left out."""
    rows = {name: row_of(api, text, classes) for name, text in journal.answered.items()}
    return {name: row for name, row in rows.items() if row is not None}


def row_of(api: Api, text: str, classes: Sequence[str]) -> list[float] | None:
    """What an answer says of each class: see `Api.row`; None if it is no such answer."""
    try:
        return api.row(text, classes)
    except ValueError:
        return None


def repeated(api: Api, journal: Journal, pictures: Sequence[str], classes: Sequence[str]) -> str | None:
    """A sentence about an API that does not answer the same question in the same way, or None."""
    pairs = []
    for name in (name for name in pictures if name in journal.again):
        first, second = (row_of(api, text, classes) for text in (journal.answered[name], journal.again[name]))
        if first and second:
            pairs.append(first.index(max(first)) == second.index(max(second)))
    alike = sum(pairs)
    if not pairs or alike >= 0.9 * len(pairs):
        return None
    return (
        f"{api.host} was asked about {len(pairs)} pictures twice and gave {alike} of them the same class again: its answers"
        " are partly chance, and so is its distance. Nothing was asked a third time."
    )


class Asking:
    """One run of requests about all pictures that are not answered yet, in the order in which they come: whoever iterates
    has them asked, and gets the name of each as it ends.

    Args:
        needed: whether a picture is still worth a request, looked at before each leaves.

    Attributes:
        notes: what is to be known once all have ended, a sentence each.
    """

    def __init__(
        self,
        api: Api,
        pictures: Pictures,
        journal: Journal,
        line: Line,
        classes: Sequence[str],
        needed: Callable[[str], bool] = lambda picture: True,
    ):
        self._api, self._pictures, self._journal, self._line, self._classes = api, pictures, journal, line, classes
        self._needed, self.notes = needed, []
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._why: str | None = None  # it makes no sense to go on
        self._capped = False
        self._next = 0.0  # when the next request may leave
        self._in_a_row = self._good = 0
        self._ends: list[str] = []  # how the first pictures ended without an answer that can be used

    def __len__(self) -> int:
        """Pictures that are not answered."""
        return len(self._pictures) - self._answered

    def __iter__(self) -> Iterator[str]:
        """
        Raises:
            QurdError: it makes no sense to go on. Every answer is kept.
        """
        journal, pictures = self._journal, self._pictures
        with journal.open():
            before = Counter(journal.failures)
            yield from self._run([name for name in pictures if name not in journal.answered])
            twice = [name for name in pictures if name in journal.answered and name not in journal.again]
            known = sum(name in journal.again for name in pictures)
            yield from self._run(twice[: max(0, TWICE - known)], again=True)
            self.notes = self._told(journal.failures - before)

    def all(self, track: Track = silent) -> None:
        """Have everything asked at one go.

        Raises:
            QurdError: it makes no sense to go on, or somebody has stopped it. Every answer is kept.
        """
        asked = iter(self)
        try:
            for _ in track(asked, len(self), f"asking {self._api.host}"):
                pass
        except KeyboardInterrupt:
            raise QurdError(
                f"Stopped after {self._answered} of {len(self._pictures)} pictures. The answers are kept: going on asks only"
                f" the other {len(self)}."
            ) from None
        finally:
            asked.close()

    def _run(self, names: Sequence[str], *, again: bool = False) -> Iterator[str]:
        """Ask about pictures, several at once where the API allows it."""
        with ThreadPoolExecutor(self._api.limits.parallel) as threads:
            waiting = {threads.submit(self._picture, name, again): name for name in names}
            try:
                for ended in as_completed(waiting):
                    ended.result()
                    yield waiting[ended]
            except BaseException:  # whoever looks has seen enough, too
                self._stopped.set()
                raise
        if self._why:
            raise QurdError(self._why)

    def _told(self, failures: Counter[str]) -> list[str]:
        """What happened on the way, a sentence each."""
        found = []
        if failures:
            held = ", ".join(f"{number} x {why}" for why, number in failures.most_common())
            found.append(f"{failures.total()} requests to {self._api.host} had no answer that can be read: {held}.")
        if self._capped:
            found.append(
                f"The {self._api.limits.most:,} requests that {self._api.path.name} allows were made before every picture"
                " was answered."
            )
        return found

    @property
    def _answered(self) -> int:
        return sum(name in self._journal.answered for name in self._pictures)

    def _picture(self, name: str, again: bool) -> None:
        """Ask about one picture, until it is answered, it is hopeless, or nobody needs it any more."""
        for attempt in range(1, ATTEMPTS + 1):
            if not again and not self._needed(name):
                return
            if attempt > 1:
                self._stopped.wait(random.uniform(0, min(LONGEST, FIRST * 2 ** (attempt - 2))))
            if not self._may_leave(name, attempt):
                return
            try:
                came = self._line.ask(self._pictures[name])
            except NoAnswerError as error:
                self._failed(name, str(error))
                continue
            if self._heard(name, came):
                return

    def _may_leave(self, name: str, attempt: int) -> bool:
        """Wait for the turn of a request, and write down that it leaves."""
        while not self._stopped.is_set():
            with self._lock:
                now = time.monotonic()
                if now >= self._next:
                    if self._journal.requests >= self._api.limits.most:
                        self._capped = True
                        self._stopped.set()
                        return False
                    self._next = now + 1 / self._api.limits.per_second
                    self._journal.intends(name, attempt)
                    return True
                pause = self._next - now
            self._stopped.wait(pause)
        return False

    def _heard(self, name: str, came: Response) -> bool:
        """Keep what came; whether it is the last attempt."""
        host, status = self._api.host, came.status
        if status in (401, 403):
            keys = " and ".join(self._api.variables) or "none"
            self._failed(name, str(status))
            self._stop(f"The API refuses the key in {keys} ({status}). Nothing more was asked.")
        elif 300 <= status < 400:
            self._failed(name, str(status))
            self._stop(
                f"{host} sends us on to {visible(came.leads_to or 'another address')}. Put the final address into"
                f" {self._api.path.name}."
            )
        elif status in PASSING or status >= 500:
            self._failed(name, _status(status))
            if came.wait is not None and came.wait > PATIENCE:
                self._stop(f"{host} asks to wait for {_lasting(came.wait)}. Every answer is kept: run it again then.")
            elif came.wait is not None:
                with self._lock:  # for everybody, and not for this picture alone
                    self._next = max(self._next, time.monotonic() + came.wait)
            return False
        elif 200 <= status < 300:
            return self._answer(name, came.text)
        else:
            self._failed(name, _status(status))
            self._ended(f"{host} answers {_status(status)}: {visible(came.text[:SHOWN])}")
        return True

    def _answer(self, name: str, text: str) -> bool:
        try:
            json_values(text)
        except ValueError:
            self._failed(name, "an answer that is no JSON")
            return False
        with self._lock:
            self._journal.has_answer(name, text)
            self._in_a_row = 0
        try:
            self._api.row(text, self._classes)
            self._good += 1
        except ValueError as error:
            self._ended(
                f"The answers of {self._api.host} are not what {self._api.path.name} says: {error}. One begins with"
                f" {visible(text[:SHOWN])}"
            )
        return True

    def _failed(self, name: str, why: str) -> None:
        with self._lock:
            self._journal.has_failed(name, why)
            self._in_a_row += 1
        if self._in_a_row >= IN_A_ROW:
            self._stop(
                f"{self._in_a_row} requests in a row to {self._api.host} had no answer that can be read, the last one:"
                f" {why}. {self._answered} of {len(self._pictures)} pictures are answered and kept: run it again, and only"
                " the others are asked."
            )

    def _ended(self, why: str) -> None:
        """A picture has no answer that can be used; if none of the first had one, it is not worth while to pay for more."""
        self._ends.append(why)
        if not self._good and len(self._ends) >= HOPELESS:
            self._stop(f"{why} Correct the file; what was answered is kept and not asked again.")

    def _stop(self, why: str) -> None:
        self._why = self._why or why
        self._stopped.set()


def _status(number: int) -> str:
    try:
        return f"{number} ({HTTPStatus(number).phrase})"
    except ValueError:
        return str(number)


def _lasting(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} minutes"
