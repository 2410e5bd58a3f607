"""The app as a visitor reaches it: a server of its own, alone and behind the proxy that `assets/docs/hosting.md` tells."""

import asyncio
import base64
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.ui.frame import PAGES
from pages.ui.hosting.visitor import ALLOW
from qurd_core.files import ASSETS
from qurd_core.records import rate_records
from tests.pages.test_browser import CHROMIUM, FLAGS, PATIENCE, serving

pytestmark = pytest.mark.slow

NAME, USER, WORD = "qurd.example.org", "team", "s3cret"
PAGE = (ASSETS / "docs" / "hosting.md").read_text()
MAIN = """
{user}
daemon off;
pid {home}/pid;
error_log {home}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    include {home}/qurd.conf;
}}
"""


class Door(NamedTuple):
    """A way to the app: a port of this machine, and the certificate of whoever listens there."""

    port: int
    certificate: Path | None = None

    def trusting(self) -> ssl.SSLContext | None:
        return self.certificate and ssl.create_default_context(cafile=self.certificate)


def _refuse(why: str) -> None:
    """CI installs it and must not pass without having asked it."""
    (pytest.fail if os.environ.get("QURD_BROWSER") == "required" else pytest.skip)(why)


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[Door]:
    """A server that is started as the page says, for a proxy."""
    home = tmp_path_factory.mktemp("app")
    options = re.search(r"streamlit run app.py --server.port 8501 (--server.allowedHosts \S+)", PAGE)[1].split()
    with serving(rate_records.FOLDER, home / "log", *options, QURD_STORE=str(home / "store")) as address:
        yield Door(int(address.rpartition(":")[2]))


@pytest.fixture(scope="module")
def proxy(app, tmp_path_factory) -> Iterator[Door]:
    """The proxy of the page before it, with other ports and folders."""
    for program in ("nginx", "openssl"):
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
            _refuse(f"{program} is not installed")
    home = tmp_path_factory.mktemp("proxy")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run(
        ["openssl", "req", "-x509", *made, "-keyout", home / "qurd.key", "-out", home / "qurd.crt"],
        check=True,
        capture_output=True,
    )
    hashed = subprocess.run(["openssl", "passwd", "-apr1", WORD], check=True, capture_output=True, text=True).stdout
    (home / "qurd.users").write_text(f"{USER}:{hashed}")
    home.chmod(0o755)
    told = re.search(r"```nginx\n(.*?)```", PAGE, re.DOTALL)[1]
    for there, here in (("listen 443", f"listen 127.0.0.1:{port}"), ("/etc/nginx", str(home)), (":8501", f":{app.port}")):
        assert there in told
        told = told.replace(there, here)
    (home / "qurd.conf").write_text(told)
    (home / "nginx.conf").write_text(MAIN.format(home=home, user="user root root;" * (os.geteuid() == 0)))
    around = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    process = subprocess.Popen(
        ["nginx", "-p", home, "-c", home / "nginx.conf"], env=around, stderr=subprocess.PIPE, text=True
    )
    try:
        while True:
            assert process.poll() is None, process.stderr.read()
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                continue
        yield Door(port, home / "qurd.crt")
    finally:
        process.terminate()
        process.wait(PATIENCE / 1000)


@pytest.fixture
def browser() -> Iterator:
    """One that finds the name of the page on this machine."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.is_file():
        _refuse(f"Chromium is not at {CHROMIUM}")
    with sync_api.sync_playwright() as driver:
        found = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
        yield driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, found])


def signed(name: str = USER, word: str = WORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()}


def get(door: Door, path: str, headers: dict[str, str], method: str = "GET", body: bytes | None = None):
    """What comes back from a path, under the name that the headers say."""
    host = headers.get("Host", NAME)
    line = socket.create_connection(("127.0.0.1", door.port), timeout=PATIENCE / 1000)
    if door.certificate:
        line = door.trusting().wrap_socket(line, server_hostname=NAME)
    asked = http.client.HTTPConnection(host)
    asked.sock = line
    asked.request(method, path, body, headers)
    return asked.getresponse()


@contextmanager
def refused(status: int) -> Iterator[None]:
    with pytest.raises(websockets.InvalidStatus) as answered:
        yield
    assert answered.value.response.status_code == status


def shown(
    door: Door,
    headers: dict[str, str],
    host: str = NAME,
    origin: str | None = None,
    query: str = "",
    then: Callable[[str], None] = lambda session: None,
) -> str:
    """What a page shows over a socket, as the text of its messages.

    Args:
        then: done with the name of the session while that is open.
    """

    async def listen() -> str:
        kind = "wss" if door.certificate else "ws"
        more = {"ssl": door.trusting(), "server_hostname": NAME} if door.certificate else {}
        line = socket.create_connection(("127.0.0.1", door.port), timeout=PATIENCE / 1000)
        line.setblocking(False)
        async with websockets.connect(
            f"{kind}://{host}/_stcore/stream",
            sock=line,
            subprotocols=["streamlit"],
            additional_headers=headers,
            origin=origin,
            max_size=None,
            proxy=None,
            open_timeout=PATIENCE / 1000,
            **more,
        ) as server:
            ask = BackMsg()
            ask.rerun_script.query_string, ask.rerun_script.page_name = query, "benchmark"
            await server.send(ask.SerializeToString())
            found, session = "", ""
            while True:
                message = ForwardMsg()
                message.ParseFromString(await asyncio.wait_for(server.recv(), PATIENCE / 1000))
                kind = message.WhichOneof("type")
                if kind == "new_session":
                    session = message.new_session.initialize.session_id
                found += str(message)
                if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    await asyncio.to_thread(then, session)
                    return found

    return asyncio.run(listen())


def test_nobody_comes_through_the_proxy_without_the_word(proxy):
    for headers in ({}, signed(word="guess"), signed(name="nobody")):
        assert get(proxy, "/", headers).status == 401
        with refused(401):
            shown(proxy, headers)


def test_the_proxy_shows_the_app_to_whoever_has_the_word(proxy):
    answer = get(proxy, "/", signed())
    assert answer.status == 200
    assert b"<title>" in answer.read()
    assert {name: answer.headers[name] for name in ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy")} == {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Strict-Transport-Security"]
    found = shown(proxy, signed(), origin=f"https://{NAME}")
    assert "Which" in found or "stolen" in found


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", f"{NAME}.evil.example"])
def test_a_foreign_name_gets_no_page_and_no_socket_through_the_proxy(proxy, host):
    assert get(proxy, "/", signed() | {"Host": host}).status == 421
    for origin in (None, f"https://{host}", f"https://{NAME}"):
        with refused(421):
            shown(proxy, signed(), host, origin)


@pytest.mark.browser
def test_what_the_proxy_allows_pages_is_all_that_they_need(proxy, browser):
    """Every page in a browser, which says what the policy forbids."""
    complaints = []
    context = browser.new_context(ignore_https_errors=True, http_credentials={"username": USER, "password": WORD})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for name in PAGES:
        page.goto(f"https://{NAME}:{proxy.port}/{name}")
        page.locator("h2").first.wait_for()
        page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")
    page.goto(f"https://{NAME}:{proxy.port}/budget")
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert not [text for text in complaints if "Content Security Policy" in text]
    context.close()


def test_a_certificate_is_shown_to_no_foreign_name(proxy):
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE / 1000) as line,
        pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"),
    ):
        proxy.trusting().wrap_socket(line, server_hostname="evil.example")


def test_a_page_elsewhere_gets_no_socket_through_the_proxy(proxy):
    with refused(403):
        shown(proxy, signed(), origin="https://evil.example")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/metrics?families=active_sessions"),
        ("GET", "/_stcore//metrics"),
        ("GET", "/%5Fstcore/./metrics"),
    ],
)
def test_what_only_developers_need_is_closed(proxy, method, path):
    assert get(proxy, path, signed(), method).status == 403


def test_a_visitor_through_the_proxy_is_none_who_runs_the_app(proxy):
    """Whatever the visitor says of the connection."""
    asked = "bench=published-cifar10&section=bench"
    for more in ({}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Real-IP": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        found = shown(proxy, signed() | more, query=asked)
        assert "only by whoever runs this app" in found.replace("\\", "")
        assert "import_path" not in found


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Iterator[Door]:
    """A server as it is started without a word."""
    folder = tmp_path_factory.mktemp("home")
    with serving(rate_records.FOLDER, folder / "log", QURD_STORE=str(folder / "store")) as address:
        yield Door(int(address.rpartition(":")[2]))


def test_whoever_opens_the_app_on_its_machine_runs_it(home):
    asked = "bench=published-cifar10&section=bench"
    for host in (f"localhost:{home.port}", f"127.0.0.1:{home.port}", f"[::1]:{home.port}"):
        found = shown(home, {}, host, f"http://{host}", asked)
        assert "import_path" in found
    found = shown(home, {"X-Forwarded-For": "192.168.1.20"}, "localhost", query=asked)
    assert "import_path" not in found


def test_an_app_that_is_started_for_visitors_asks_them_for_a_path(tmp_path):
    with serving(rate_records.FOLDER, tmp_path / "log", "--", ALLOW, QURD_STORE=str(tmp_path / "store")) as address:
        asked = "bench=published-cifar10&section=bench"
        door = Door(int(address.rpartition(":")[2]))
        assert "import_path" in shown(door, {"X-Forwarded-For": "192.168.1.20"}, "localhost", query=asked)


@pytest.mark.parametrize("host", ["evil.example", "192.168.1.20", "localhost.evil.example"])
def test_a_page_elsewhere_that_gives_its_name_this_address_gets_no_socket(home, host):
    with refused(403):
        shown(home, {}, host, f"http://{host}")


@pytest.mark.parametrize(("size", "status"), [(1_000, 204), (70_000_000, 413)])
@pytest.mark.parametrize("declared", [True, False])
def test_files_are_uploaded_up_to_64_mb(home, declared, size, status):
    token = get(home, "/_stcore/health", {"Host": "localhost"}).headers["Set-Cookie"].split(";")[0]
    body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"x" * size + b"\r\n--b--\r\n"
    headers = {"Host": "localhost", "Cookie": token, "X-Xsrftoken": token.partition("=")[2]}
    headers |= {"Content-Type": "multipart/form-data; boundary=b"}
    answers = []

    def upload(session: str) -> None:
        answer = get(home, f"/_stcore/upload_file/{session}/file", headers, "PUT", body if declared else iter([body]))
        answers.append(answer.status)

    shown(home, {}, "localhost", then=upload)
    assert answers == [status]
