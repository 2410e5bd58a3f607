"""A real HTTP server on the loopback that answers as an API does, or otherwise: it stalls, limits, lies and dies.

As a program it serves until it is ended: `python -m tests.qurd_core.suspects.elsewhere.shop FOLDER`.
"""

import base64
import io
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog", "owl")
KEY = "sk-very-secret-0123456789"
ENOUGH = 20.0  # seconds after which a handler gives up, whatever it was told to do


def label_of(pixels: np.ndarray) -> int:
    """(3,H,W) uint8 to a class, as any deterministic model would."""
    return int(pixels.astype(np.int64).sum()) % len(CLASSES)


def as_json(pixels: np.ndarray) -> dict:
    """Every kind of answer at once: a label, classes with scores, probits."""
    first = label_of(pixels)
    order = [(first + step) % len(CLASSES) for step in range(len(CLASSES))]
    scores = [0.7, 0.2, 0.1]
    results = [{"name": CLASSES[place], "p": score} for place, score in zip(order, scores, strict=True)]
    probs = {CLASSES[place]: score for place, score in zip(order, scores, strict=True)}
    return {
        "result": {"label": CLASSES[first]},
        "results": results[::-1],
        "probs": probs,
        "listed": [probs[c] for c in CLASSES],
    }


class Shop:
    """What the server is asked, and what it does.

    Attributes:
        faults: what becomes of requests, in turn: names of `FAULTS` or None for a good answer; good ones when they run out.
        random: a share of faults at random, from `FAULTS`.
        requests: that came, by picture.
        answered: good answers, by picture, whether or not anybody was there to read them.
    """

    def __init__(self, answer: Callable[[np.ndarray], object] = as_json):
        self.answer = answer
        self.faults: Iterator[str | None] = iter(())
        self.random, self.rng = 0.0, random.Random(0)
        self.requests: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.times: list[float] = []
        self.heads: list[dict[str, str]] = []
        self.bodies: list[dict] = []
        self.pause = 0.0
        self.lock = threading.Lock()
        self.url = ""

    def next_fault(self) -> str | None:
        with self.lock:
            planned = next(self.faults, None)
            if planned is None and self.random and self.rng.random() < self.random:
                return self.rng.choice(sorted(RANDOM))
            return planned


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shop: Shop

    def log_message(self, *arguments: object) -> None:
        pass

    def do_POST(self) -> None:
        shop = self.shop
        body = self.rfile.read(int(self.headers["Content-Length"]))
        png, sent = _picture(self.headers["Content-Type"], body)
        name = str(hash(png))
        with shop.lock:
            shop.requests[name] += 1
            shop.times.append(time.monotonic())
            shop.heads.append(dict(self.headers))
            shop.bodies.append(sent)
        fault = shop.next_fault()
        if shop.pause:
            time.sleep(shop.pause)
        if fault:
            FAULTS[fault](self)
            return
        pixels = np.asarray(Image.open(io.BytesIO(png), formats=["PNG"])).transpose(2, 0, 1)
        with shop.lock:  # which is when an API writes its bill
            shop.answered[name] += 1
        with suppress(OSError):
            self.say(200, json.dumps(shop.answer(pixels)).encode())

    def say(self, status: int, data: bytes, head: Sequence[tuple[str, str]] = (), length: int | None = None) -> None:
        self.send_response(status)
        for key, value in head:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def hang_up(self) -> None:
        """Reset the connection without a word."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def drip(self, first: bytes, then: bytes) -> None:
        """Send a byte now and then until nobody listens."""
        until = time.monotonic() + ENOUGH
        with suppress(OSError):
            self.wfile.write(first)
            while time.monotonic() < until:
                self.wfile.write(then)
                self.wfile.flush()
                time.sleep(0.05)
        self.close_connection = True


def _stall(handler: Handler) -> None:
    handler.connection.settimeout(ENOUGH)
    with suppress(OSError):
        handler.rfile.read(1)  # until whoever asked hangs up
    handler.close_connection = True


def _flood(handler: Handler) -> None:
    with suppress(OSError):
        handler.say(200, b" " * 3_000_000 + b"{}")


FAULTS: dict[str, Callable[[Handler], None]] = {
    "stall": _stall,
    "drip head": lambda handler: handler.drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "drip body": lambda handler: handler.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{", b" "),
    "drip chunks": lambda handler: handler.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "continue for ever": lambda handler: handler.drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "hang up": Handler.hang_up,
    "cut": lambda handler: handler.say(200, b'{"result": {"la', length=500),
    "half json": lambda handler: handler.say(200, b'{"result": {"label": "ca'),
    "html": lambda handler: handler.say(200, b"<html>Please log in</html>"),
    "zip": lambda handler: handler.say(200, b"{}", [("Content-Encoding", "gzip")]),
    "flood": _flood,
    "shape": lambda handler: handler.say(200, b'{"message": "hello"}'),
    "other class": lambda handler: handler.say(
        200, b'{"result": {"label": "zebra"}, "results": [{"name": "zebra", "p": 1}]}'
    ),
    "nan": lambda handler: handler.say(200, b'{"result": {"label": NaN}}'),
    "408": lambda handler: handler.say(408, b""),
    "429": lambda handler: handler.say(429, b"slow down"),
    "429 wait": lambda handler: handler.say(429, b"", [("Retry-After", "2")]),
    "429 date": lambda handler: handler.say(429, b"", [("Retry-After", _in_two_seconds())]),
    "429 tomorrow": lambda handler: handler.say(429, b"", [("Retry-After", "86400")]),
    "500": lambda handler: handler.say(500, b"oops"),
    "503": lambda handler: handler.say(503, b"<html>"),
    "401": lambda handler: handler.say(401, b"no"),
    "403": lambda handler: handler.say(403, f"no {KEY}".encode()),
    "400": lambda handler: handler.say(400, f"bad picture for {KEY}".encode()),
    "302": lambda handler: handler.say(302, b"", [("Location", "https://other.example/v2")]),
    "307": lambda handler: handler.say(307, b"", [("Location", "http://169.254.169.254/latest/meta-data")]),
}
RANDOM = ("429", "500", "503", "408", "hang up", "cut", "half json", "html")


def _in_two_seconds() -> str:
    from email.utils import formatdate

    return formatdate(time.time() + 2.999, usegmt=True)


def _picture(kind: str, body: bytes) -> tuple[bytes, dict]:
    """The PNG in a request, and what else was sent."""
    if kind == "application/json":
        said = json.loads(body)
        return base64.b64decode(said.pop("image")), said
    border = kind.partition("boundary=")[2].encode()
    sent, png = {}, b""
    for part in body.split(b"--" + border)[1:-1]:
        head, _, value = (
            part.strip(b"\r\n").partition(b"\r\n\r\n") if b"PNG" not in part else part[2:-2].partition(b"\r\n\r\n")
        )
        name = head.split(b'name="')[1].split(b'"')[0].decode()
        if b"image/png" in head:
            png = value
        else:
            sent[name] = value.decode()
    return png, sent


@contextmanager
def serving(shop: Shop, host: str = "127.0.0.1") -> Iterator[Shop]:
    """The server, at `shop.url`, until the block is left."""
    handler = type("OfShop", (Handler,), {"shop": shop})
    server = ThreadingHTTPServer((host, 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    shop.url = f"http://{host}:{server.server_port}/v1/classify"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()


def api_text(url: str, **changes: object) -> str:
    """The file of an API at an address, as YAML (which JSON is)."""
    said = {
        "format": 1,
        "url": url,
        "image": {"as": "json", "field": "image"},
        "headers": {"Authorization": "Bearer ${SHOP_KEY}"},
        "answer": {"gives": "labels", "label": "result.label"},
        "limits": {"per_second": 1000, "requests": 400, "seconds": 5},
    }
    return json.dumps({name: value for name, value in (said | changes).items() if value is not None})
