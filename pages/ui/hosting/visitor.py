"""Who looks at the app: whoever runs it, on its own machine, or a visitor.

What deletes files, and what reads a file that is named by its path, is for whoever runs the app.
"""

import os
import sys
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

ALLOW = "--allow-files"  # after the name of the app: every visitor may do what whoever runs it may
HOSTED = "QURD_HOSTED"
PASSED_ON = {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"}  # headers that proxies write


class Peer(NamedTuple):
    """The other end of a session's connection.

    Attributes:
        address: of the machine, as far as is known; None for one that Streamlit counts as this machine.
        headers: of the request that opened it, by their names in small letters.
    """

    address: str | None
    headers: Mapping[str, str]


def peer() -> Peer:
    """Who is at the other end of the session that asks."""
    return Peer(st.context.ip_address, {name.lower(): value for name, value in st.context.headers.items()})


def runs_the_app() -> bool:
    """Whether the session is opened on the machine of the app, by an address of that machine alone and through no proxy; or
    the app was started for visitors who may do the same.

    The name by which it was opened counts, too: a page elsewhere can have a browser on this machine ask this server under a
    name of its own. Of a session whose connection is gone nothing is known: it is a visitor's.
    """
    if ALLOW in sys.argv[1:]:
        return True
    address, headers = peer()
    here = (address is None or is_loopback(address)) and "host" in headers
    return here and opens_here(f"//{headers['host']}") and not PASSED_ON & headers.keys()


def hosted() -> bool:
    """Whether the app is there for others: `QURD_HOSTED=1` says so, or an address that not only its own machine opens."""
    address = st.get_option("server.address")
    return os.environ.get(HOSTED) == "1" or not (address and opens_here(f"//{address}"))


def asks_apis() -> bool:
    """Whether the session may have APIs asked, which may cost: whoever runs the app, unless it is hosted for others."""
    return runs_the_app() and not hosted()


def no_api() -> str:
    """Why it may not."""
    if hosted():
        return "An API is not asked by an app that is hosted for others: the command 'qurd check' asks it."
    return not_you("An API is asked")


def session() -> str:
    """The name of the session that asks: of a browser tab, until it is closed or loaded again."""
    return get_script_run_ctx().session_id


def is_open(name: str) -> bool:
    """Whether a session has a browser tab that is connected; from any thread."""
    try:
        return runtime.get_instance().is_active_session(name)
    except RuntimeError:  # the server is not there yet, or not any more
        return False


def not_you(what: str) -> str:
    """Why something is not offered.

    Args:
        what: the start of the sentence: "A benchmark is deleted".
    """
    return f"{what} only by whoever runs this app: open it as localhost on its own machine, or start it with {ALLOW}."


def opens_here(url: str) -> bool:
    """Whether an address of a page is one that only its own machine can open; one without a host counts as such."""
    try:
        host = urlsplit(url).hostname or "localhost"
    except ValueError:  # half a bracket
        return False
    return host == "localhost" or host.endswith(".localhost") or is_loopback(host)


def is_loopback(address: str) -> bool:
    """Whether an address of a machine is its own; nothing else is."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    inside = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (inside or found).is_loopback
