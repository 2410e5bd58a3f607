"""The only module that opens a connection to another machine.

A host is resolved once, and only if all of its addresses are public is one of them connected to. Nothing is read of the
environment but the variables that the file of an API names; their values are replaced in every text that leaves this module.
"""

import base64
import ipaddress
import json
import os
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote, urlsplit

from qurd_core.benchmarks.own.sources.api_file import VARIABLE, Api
from qurd_core.errors import SHOWN, QurdError

MOST = 1_000_000  # bytes of an answer
CONNECT, RESOLVE = 5.0, 10.0  # seconds
PORTS = (443, 8443)
SHORTEST = 6  # characters of a secret: a shorter one would be found everywhere
HIDDEN = "***"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"0x[0-9a-f]*|\d+")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NoAnswerError(QurdError):
    """Why a request had no answer that can be read; another attempt may have one."""


@dataclass(frozen=True)
class Response:
    """What came back.

    Attributes:
        wait: seconds that the API asks to wait, or None.
        leads_to: the host that it sends on to, or None.
    """

    status: int
    text: str
    wait: float | None
    leads_to: str | None


class Line:
    """The way to one API.

    Args:
        allowed: hosts that may be asked though they are not public, or over plain http.

    Raises:
        QurdError: the address may not be asked, its host is not found, or a variable of the environment is missing.
    """

    def __init__(self, api: Api, allowed: Sequence[str] = ()):
        self._api, self._values = api, _variables(api)
        self._secure, self.host, self._port, self._target = _parts(_filled(api.url, self._values, in_url=True))
        self._addresses = _addresses(self._secure, self.host, self._port, allowed)

    def ask(self, png: bytes) -> Response:
        """Send a picture and read what comes back, all of it within the seconds that the file of the API allows.

        Raises:
            NoAnswerError: there was no answer, or none that can be read.
        """
        kind, data = _body(self._api, self._values, png)
        watch = _Watchdog(self._api.limits.seconds)
        try:
            return self._exchange(watch, kind, data)
        except (OSError, HTTPException, ValueError, AttributeError) as error:  # the last two of a connection that is cut off
            if watch.late:
                raise NoAnswerError(f"no answer within {self._api.limits.seconds:g} seconds") from None
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NoAnswerError(self._hidden(f"the connection failed: {why}")) from None
        finally:
            watch.end()

    def _exchange(self, watch: "_Watchdog", kind: str, data: bytes) -> Response:
        connection = HTTPConnection(self.host, self._port)
        connection.sock = watch.over(self._connected(watch), self.host if self._secure else None)
        try:
            connection.putrequest("POST", self._target, skip_host=True, skip_accept_encoding=True)
            usual = {"Host": self._named(), "Content-Type": kind, "Content-Length": str(len(data))}
            usual |= {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
            own = {name: _filled(value, self._values) for name, value in self._api.headers.items()}
            for name, value in (usual | own).items():
                connection.putheader(name, value)
            connection.endheaders(data)
            with connection.getresponse() as found:
                text = found.read(MOST + 1)
        finally:
            connection.close()
        if watch.fired:  # what was read until then looks like a whole answer
            raise NoAnswerError(f"no answer within {self._api.limits.seconds:g} seconds")
        return self._read(found, text)

    def _read(self, found: HTTPResponse, data: bytes) -> Response:
        length = found.headers.get("Content-Length", "")
        if len(data) > MOST:
            raise NoAnswerError(f"an answer of more than {MOST:,} bytes")
        if length.isdecimal() and int(length) > len(data):
            raise NoAnswerError("an answer that broke off")
        if found.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise NoAnswerError("a compressed answer, which was not asked for")
        to = urlsplit(found.headers.get("Location", "")).netloc.rpartition("@")[2]
        text = self._hidden(data.decode("utf-8", "replace"))
        return Response(found.status, text, _wait(found.headers.get("Retry-After")), self._hidden(to)[:SHOWN] or None)

    def _connected(self, watch: "_Watchdog") -> socket.socket:
        """A connection to one of the addresses that were looked at."""
        failed: OSError | None = None
        for address in self._addresses:
            try:
                return socket.create_connection((str(address), self._port), timeout=min(CONNECT, watch.left))
            except OSError as error:
                failed = error
        raise failed or OSError("no address")

    def _named(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self._port == (443 if self._secure else 80) else f"{host}:{self._port}"

    def _hidden(self, text: str) -> str:
        """A text without the values that came from the environment."""
        for value in self._values.values():
            for form in {value, quote(value, safe=""), json.dumps(value)[1:-1]}:
                text = text.replace(form, HIDDEN)
        return text


class _Watchdog:
    """Ends a connection after some seconds, whatever comes over it: a timeout per read waits for ever for whoever sends a
    byte now and then.
    """

    def __init__(self, seconds: float):
        self.fired, self._guard = False, None
        self._until, self._lock = time.monotonic() + seconds, threading.Lock()
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self._timer.start()

    @property
    def left(self) -> float:
        return max(0.05, self._until - time.monotonic())

    @property
    def late(self) -> bool:
        """Whether the seconds are over: the timeout of a read may notice it first."""
        return self.fired or time.monotonic() >= self._until

    def over(self, plain: socket.socket, name: str | None) -> socket.socket:
        """Watch a connection from now on, and put TLS with a host of this name over it."""
        plain.settimeout(self.left)
        with self._lock:
            self._guard = socket.socket(fileno=os.dup(plain.fileno()))
            if self.fired:
                self._cut()
        return plain if name is None else ssl.create_default_context().wrap_socket(plain, server_hostname=name)

    def end(self) -> None:
        self._timer.cancel()
        with self._lock:
            if self._guard:
                self._guard.close()
                self._guard = None

    def _fire(self) -> None:
        with self._lock:
            self.fired = True
            self._cut()

    def _cut(self) -> None:
        with suppress(OSError):
            if self._guard:
                self._guard.shutdown(socket.SHUT_RDWR)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, also where it is written inside another one."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inside:
            return is_public(inside)
        if address in _COMPATIBLE or address.is_site_local or address.teredo:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _addresses(secure: bool, host: str, port: int, allowed: Sequence[str]) -> list[Address]:
    """The addresses of a host that may be asked.

    Raises:
        QurdError: it may not be.
    """
    if host in (one.lower() for one in allowed):
        return _resolved(host, port)
    hosted = os.environ.get("QURD_HOSTED") == "1"
    if not secure and host in ("127.0.0.1", "::1") and not hosted:
        return [ipaddress.ip_address(host)]
    if not secure:
        raise QurdError(
            f"Expected https to {host}. Got http, over which keys and pictures can be read: {_ALLOW.format(host)}"
        )
    if port not in PORTS:
        raise QurdError(f"Expected the port {PORTS[0]} or {PORTS[1]} of {host}. Got {port}: {_ALLOW.format(host)}")
    found = _resolved(host, port)
    if strange := [address for address in found if not is_public(address)]:
        raise QurdError(f"Expected a host of the public internet. {host} is {strange[0]}: {_ALLOW.format(host)}")
    return found


_ALLOW = "add --allow-host {} to the command if you mean it."


def _resolved(host: str, port: int) -> list[Address]:
    """All addresses of a host, looked up once."""
    with suppress(ValueError):
        return [ipaddress.ip_address(host)]
    found: list[Any] = []

    def look() -> None:
        with suppress(OSError, UnicodeError):
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(RESOLVE)
    addresses = dict.fromkeys(ipaddress.ip_address(one[4][0].partition("%")[0]) for one in list(found))
    if not addresses:
        raise QurdError(
            f"Expected to find the host {host}. It is not found: is this machine on a network, and the name right?"
        )
    return list(addresses)


def _parts(url: str) -> tuple[bool, str, int, str]:
    """Whether an address is https, its host, its port, and what stands behind.

    Raises:
        QurdError: it could be read in more than one way.
    """
    try:
        if not url.isascii() or not url.isprintable() or any(sign in url for sign in ' \\^`{|}"<>'):
            raise ValueError("it holds a space, a backslash or another character that is no part of an address")
        found = urlsplit(url)
        host, port = found.hostname or "", found.port
        if found.scheme not in ("https", "http") or not url.startswith(f"{found.scheme}://"):
            raise ValueError("it does not begin with https://")
        if "@" in found.netloc or "#" in url:
            raise ValueError("it holds a @ or # that hides which host is meant")
        _check_host(host, found.netloc.startswith("["))
        if port == 0:
            raise ValueError("its port is 0")
    except ValueError as error:
        raise QurdError(f"Expected an address such as https://api.example.com/v1/classify as 'url'. {error}.") from None
    secure = found.scheme == "https"
    return secure, host, port or (443 if secure else 80), (found.path or "/") + (f"?{found.query}" if found.query else "")


def _check_host(host: str, bracketed: bool) -> None:
    if bracketed:
        ipaddress.IPv6Address(host if "%" not in host else "")
        return
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        if str(ipaddress.IPv4Address(host)) != host:
            raise ValueError("its number is written in another way than four numbers from 0 to 255")
    elif len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("its host is no plain name: write one that is not ASCII as xn--..., and no dot at its end")


def _variables(api: Api) -> dict[str, str]:
    """The values of the variables that a request takes from the environment."""
    found = {}
    for name in api.variables:
        value = os.environ.get(name, "")
        if len(value) < SHORTEST or not value.isascii() or not value.isprintable():
            held = "It is not set" if not value else f"It holds {len(value)} characters, or some that no header takes"
            raise QurdError(
                f"Expected a key of at least {SHORTEST} plain characters in the variable {name} of the environment, which"
                f" {api.path} names. {held}."
            )
        found[name] = value
    return found


def _filled(value: Any, variables: Mapping[str, str], *, in_url: bool = False) -> Any:
    """A value with those of variables in the place of their names."""
    if isinstance(value, dict):
        return {name: _filled(one, variables) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, variables) for one in value]
    if not isinstance(value, str):
        return value
    return VARIABLE.sub(lambda found: quote(variables[found[1]], safe="") if in_url else variables[found[1]], value)


def _body(api: Api, variables: Mapping[str, str], png: bytes) -> tuple[str, bytes]:
    """Type and bytes of what is sent."""
    (kind, field), fixed = api.image, _filled(dict(api.body), variables)
    if kind == "json":
        return "application/json", json.dumps(fixed | {field: base64.b64encode(png).decode()}).encode()
    border = secrets.token_hex(16)
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{_plain(value)}\r\n'.encode()
        for name, value in fixed.items()
    ]
    head = f'--{border}\r\nContent-Disposition: form-data; name="{field}"; filename="picture.png"\r\n'
    parts += [f"{head}Content-Type: image/png\r\n\r\n".encode(), png, f"\r\n--{border}--\r\n".encode()]
    return f"multipart/form-data; boundary={border}", b"".join(parts)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _wait(text: str | None) -> float | None:
    """Seconds of a `Retry-After`, which is a number of them or a date."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return None
