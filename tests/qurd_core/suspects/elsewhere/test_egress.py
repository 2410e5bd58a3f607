"""What may be asked over a network and what may not, on real connections to this machine."""

import ipaddress
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from qurd_core.benchmarks.own.sources.api_file import read_api
from qurd_core.errors import QurdError
from qurd_core.suspects.elsewhere import egress
from qurd_core.suspects.elsewhere.egress import Line, NoAnswerError, is_public
from tests.qurd_core.suspects.elsewhere.shop import CLASSES, FAULTS, KEY, Shop, api_text, serving

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049"
    "454e44ae426082"
)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("SHOP_KEY", KEY)


@pytest.fixture
def api(tmp_path):
    def make(url, **changes):
        path = tmp_path / "shop.yaml"
        path.write_text(api_text(url, **changes))
        return read_api(path, CLASSES)

    return make


@pytest.fixture
def resolver(monkeypatch):
    """Hosts and their addresses, in turn, instead of those of a name server; counts how often each is looked up."""
    known, asked, real = {}, [], socket.getaddrinfo

    def look(host, port, *how, **more):
        if host.replace(".", "").isdecimal() or ":" in host:
            return real(host, port, *how, **more)
        asked.append(host)
        if host not in known:
            raise socket.gaierror(-2, "Name or service not known")
        found = known[host]
        found = found.pop(0) if isinstance(found[0], list) else found
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(egress.socket, "getaddrinfo", look)
    return known, asked


BLOCKED = [  # addresses of things inside, however they are written
    "http://127.0.0.2/",
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/",
    "http://localhost/",
    "https://localhost/",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a9fe:a9fe::1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2001:0:7f00:1::1]/",
    "https://[2001:db8::1]/",
    "https://api.example.com@127.0.0.1/",
    "https://127.0.0.1#@api.example.com/",
    "https://api.example.com\\@127.0.0.1/",
    "https://api.example.com /",
    "https://api.example.com./",
    "https://api..example.com/",
    "https://-api.example.com/",
    "https://exämple.com/",
    "https://ⓛocalhost/",
    "https://127。0。0。1/",
    "https://api.example.com:80/",
    "https://api.example.com:22/",
    "https://api.example.com:0/",
    "https://api.example.com:99999/",
    "https://api.example.com:x/",
    "http://api.example.com/",
    "http://api.example.com:8443/",
    "http:///path",
    "https://inside.example.com/",
    "https://mixed.example.com/",
    "https://mapped.example.com/",
    "https://nowhere.example.com/",
    "https://metadata/",
    "http://[::ffff:127.0.0.1]/",
    "http://0177.0.0.1/",
    "http://2130706433/",
    "http://127.0.0.1.nip.example.com/",
]


@pytest.mark.parametrize("url", BLOCKED)
def test_whatever_is_no_host_of_the_public_internet_is_never_connected_to(url, api, resolver, monkeypatch):
    known, _ = resolver
    known |= {
        "localhost": ["127.0.0.1"],
        "inside.example.com": ["10.0.0.1"],
        "mixed.example.com": ["93.184.215.14", "127.0.0.1"],
        "mapped.example.com": ["::ffff:169.254.169.254"],
        "metadata": ["169.254.169.254"],
        "api.example.com": ["93.184.215.14"],
        "127.0.0.1.nip.example.com": ["127.0.0.1"],
    }

    def connect(*arguments, **how):
        raise AssertionError("a connection")

    monkeypatch.setattr(egress.socket, "create_connection", connect)
    with pytest.raises(QurdError) as told:
        Line(api(url), ()).ask(PNG)
    assert not isinstance(told.value, NoAnswerError)
    assert str(told.value).count(".") >= 2 or "Expected" in str(told.value)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://api.example.com/", "gopher://127.0.0.1/", "//127.0.0.1/", "https:127.0.0.1", "127.0.0.1"],
)
def test_other_kinds_of_addresses_are_refused_where_they_are_written(url, api):
    with pytest.raises(QurdError, match="Expected 'url' as an address that begins with https"):
        api(url)


GOOD = {
    "https://api.example.com/v1": (True, "api.example.com", 443),
    "https://api.example.com:8443/v1": (True, "api.example.com", 8443),
    "https://93.184.215.14/": (True, "93.184.215.14", 443),
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/": (True, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", 443),
    "http://127.0.0.1:9/": (False, "127.0.0.1", 9),
    "http://[::1]:9/": (False, "::1", 9),
}


@pytest.mark.parametrize("url", GOOD)
def test_public_hosts_and_this_machine_may_be_asked(url, api, resolver):
    resolver[0]["api.example.com"] = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
    line = Line(api(url))
    assert (line._secure, line.host, line._port) == GOOD[url]
    assert all(is_public(address) or address.is_loopback for address in line._addresses)


def test_what_python_calls_global_and_is_not():
    for text in ("224.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "fec0::1", "::127.0.0.1"):
        assert not is_public(ipaddress.ip_address(text))
    for text in ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"):
        assert is_public(ipaddress.ip_address(text))


def test_an_allowed_host_may_be_anywhere_and_others_may_not(api, resolver):
    resolver[0]["inside.example.com"] = ["127.0.0.1"]
    assert Line(api("http://inside.example.com:8000/"), ["inside.example.com"]).host == "inside.example.com"
    with pytest.raises(QurdError, match=r"add --allow-host inside.example.com to the command"):
        Line(api("http://inside.example.com:8000/"), ["other.example.com"])


def test_a_hosted_app_asks_nothing_on_its_own_machine(api, monkeypatch):
    monkeypatch.setenv("QURD_HOSTED", "1")
    with pytest.raises(QurdError, match=r"Expected https to 127.0.0.1"):
        Line(api("http://127.0.0.1:9/"))


def test_a_host_is_looked_up_once_and_the_address_that_was_looked_at_is_asked(api, resolver):
    known, asked = resolver
    with serving(Shop()) as shop:
        port = shop.url.split(":")[2].split("/")[0]
        known["api.example.com"] = [["127.0.0.1"], ["10.0.0.1"]]  # another one the second time
        line = Line(api(f"http://api.example.com:{port}/x?model=a"), ["api.example.com"])
        assert [line.ask(PNG).status for _ in range(3)] == [200] * 3
        assert asked.count("api.example.com") == 1
        assert {head["Host"] for head in shop.heads} == {f"api.example.com:{port}"}


def test_proxies_of_the_environment_are_ignored(api, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(Shop()) as shop:
        assert Line(api(shop.url)).ask(PNG).status == 200


def test_what_is_sent_is_the_picture_with_the_constants_and_the_key_of_the_environment(api):
    with serving(Shop()) as shop:
        for image in ("json", "multipart"):
            said = api(shop.url, image={"as": image, "field": "image"}, body={"model": "v2", "top": 5})
            assert Line(said).ask(PNG).status == 200
        (first, second), (json_head, form_head) = shop.bodies, shop.heads
    assert (first, second) == ({"model": "v2", "top": 5}, {"model": "v2", "top": "5"})
    assert len(shop.requests) == 1  # the same picture
    assert json_head["Authorization"] == form_head["Authorization"] == f"Bearer {KEY}"
    assert json_head["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("fault", ["stall", "drip head", "drip body", "drip chunks", "continue for ever"])
def test_whoever_holds_us_is_cut_off_when_the_time_is_over(api, fault):
    others = set(threading.enumerate())
    with serving(Shop()) as shop:
        shop.faults = iter([fault])
        line, start = Line(api(shop.url, limits={"requests": 1, "seconds": 1})), time.monotonic()
        with pytest.raises(NoAnswerError, match="no answer within 1 seconds"):
            line.ask(PNG)
        assert 0.9 < time.monotonic() - start < 4
        for watch in [one for one in threading.enumerate() if isinstance(one, threading.Timer) and one not in others]:
            watch.join(1)
            assert not watch.is_alive()  # nothing watches a connection that is gone


def test_a_read_that_times_out_before_the_watchdog_wakes_says_the_same(api, monkeypatch):
    monkeypatch.setattr(egress._Watchdog, "_fire", lambda self: None)
    with serving(Shop()) as shop:
        shop.faults = iter(["stall"])
        with pytest.raises(NoAnswerError, match="no answer within 1 seconds"):
            Line(api(shop.url, limits={"requests": 1, "seconds": 1})).ask(PNG)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("hang up", "the connection failed"),
        ("cut", "broke off"),
        ("zip", "compressed"),
        ("flood", "more than 1,000,000 bytes"),
    ],
)
def test_what_cannot_be_read_is_no_answer(api, fault, says):
    with serving(Shop()) as shop:
        shop.faults = iter([fault])
        with pytest.raises(NoAnswerError, match=says):
            Line(api(shop.url)).ask(PNG)


@pytest.mark.parametrize(("fault", "host"), [("302", "other.example"), ("307", "169.254.169.254")])
def test_nobody_follows_where_an_api_sends_on_to(api, fault, host):
    with serving(Shop()) as shop:
        shop.faults = iter([fault])
        came = Line(api(shop.url)).ask(PNG)
    assert (came.status, came.leads_to) == (int(fault), host)


def test_a_key_that_an_api_sends_back_is_hidden(api):
    with serving(Shop()) as shop:
        shop.faults = iter(["403", "400"])
        line = Line(api(shop.url))
        assert [line.ask(PNG).text for _ in range(2)] == ["no ***", "bad picture for ***"]


@pytest.mark.parametrize("value", [None, "", "short", "two\nlines", "ä" * 10])
def test_a_key_that_is_not_there_or_no_key_is_named_and_not_shown(api, monkeypatch, value):
    monkeypatch.delenv("SHOP_KEY") if value is None else monkeypatch.setenv("SHOP_KEY", value)
    with pytest.raises(QurdError, match="in the variable SHOP_KEY of the environment") as told:
        Line(api("http://127.0.0.1:9/"))
    assert not value or value not in str(told.value)


def test_a_key_in_the_address_is_written_as_addresses_are(api, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "a/b&c=d e")
    with serving(Shop()) as shop:
        line = Line(api(f"{shop.url}?key=${{SHOP_KEY}}", headers=None))
        assert line._target.endswith("?key=a%2Fb%26c%3Dd%20e")
        assert line.ask(PNG).status == 200


def test_nobody_there_is_no_answer(api):
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswerError, match="the connection failed: Connection refused"):
            Line(api(f"http://127.0.0.1:{door.getsockname()[1]}/")).ask(PNG)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    home = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=api.example.com"),
            *("-addext", "subjectAltName=DNS:api.example.com", "-keyout", home / "key.pem", "-out", home / "cert.pem"),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    return home


def test_tls_is_checked_against_the_name_of_the_host(api, resolver, certificate, monkeypatch):
    resolver[0].update({"api.example.com": ["127.0.0.1"], "other.example.com": ["127.0.0.1"]})
    names = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    context.sni_callback = lambda connection, name, held: names.append(name)
    shop = Shop()
    with serving(shop) as plain:
        port = int(plain.url.split(":")[2].split("/")[0])
        with socket.create_server(("127.0.0.1", 0)) as door:
            threading.Thread(target=_tunnel, args=(door, context, port), daemon=True).start()
            secure = door.getsockname()[1]
            url = f"https://api.example.com:{secure}/"
            with pytest.raises(NoAnswerError, match="certificate verify failed"):
                Line(api(url), ["api.example.com"]).ask(PNG)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
            assert Line(api(url), ["api.example.com"]).ask(PNG).status == 200
            with pytest.raises(NoAnswerError, match="certificate verify failed"):
                Line(api(url.replace("api", "other", 1)), ["other.example.com"]).ask(PNG)
    assert names[1] == "api.example.com"
    assert shop.requests.total() == 1


def _tunnel(door, context, port):
    """Take TLS off connections and pass them on to a port of this machine."""
    while True:
        try:
            taken, _ = door.accept()
        except OSError:
            return
        try:
            with (
                context.wrap_socket(taken, server_side=True) as secure,
                socket.create_connection(("127.0.0.1", port)) as plain,
            ):
                data = b""
                while b"\r\n\r\n" not in data:
                    data += secure.recv(65536)
                head, _, body = data.partition(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                while len(body) < length:
                    body += secure.recv(65536)
                plain.sendall(head + b"\r\n\r\n" + body)
                while came := plain.recv(65536):
                    secure.sendall(came)
        except OSError:
            continue


def test_no_descriptor_and_no_thread_is_left(api):
    faults = ["hang up", "cut", "500", "302", "flood", None]
    with serving(Shop()) as shop:
        line = Line(api(shop.url))
        for _ in range(2):
            shop.faults = iter(faults * 3)
            before = len(list(Path("/proc/self/fd").iterdir()))
            for _ in range(len(faults) * 3):
                with suppress(NoAnswerError):
                    line.ask(PNG)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 3
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer) and not one.finished.is_set()]
    assert set(faults) - {None} <= {*FAULTS}
