"""Posting: what was signed arrives, limits hold, and our own network is not asked in the cloud."""

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from graphql_api.errors import Invalid
from graphql_api.webhooks import sending
from graphql_api.webhooks.rules import Answer, Problem
from tests.webhooks import receiver as receivers
from tests.webhooks.receiver import Receiver

NAME = "hooks.example"


def post(url: str, body: str = "{}") -> Answer:
    return asyncio.run(sending.post(url, {"x-webhook-id": "whd_1"}, body))


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have names lead to these addresses, one answer after the other; gives the names asked."""
    asked: list[str] = []
    waiting = list(answers)

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        addresses = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in a], socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_body_and_headers_arrive_as_they_are(receiver: Receiver) -> None:
    answer = post(receiver.url("/200?shop=1"), '{"名":1}')
    [got] = receiver.got
    assert (got.path, got.body) == ("/200?shop=1", '{"名":1}'.encode())
    assert got.headers["x-webhook-id"] == "whd_1"
    assert got.headers["host"] == receiver.url("").removeprefix("http://")
    assert (answer.status, answer.problem, answer.text) == (200, None, "said 200")


def test_redirect_is_not_followed(receiver: Receiver) -> None:
    answer = post(receiver.url("/302"))
    assert (answer.status, answer.problem) == (302, Problem.STATUS)
    assert [got.path for got in receiver.got] == ["/302"]


@pytest.mark.parametrize("path", ["/slow", "/drip"])
def test_receiver_that_takes_its_time_is_left(
    receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.2)
    answer = post(receiver.url(path))
    assert (answer.status, answer.problem) == (None, Problem.TIMEOUT)
    assert 200 <= answer.milliseconds < 2_000


def test_answer_without_end_is_read_no_further_than_it_is_shown(receiver: Receiver) -> None:
    answer = post(receiver.url("/large"))
    assert (answer.status, len(answer.text)) == (200, 500)


def test_nobody_there_is_unreachable(receiver: Receiver) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/").problem is Problem.UNREACHABLE


def test_name_that_nobody_knows_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert post("https://nowhere.example/").problem is Problem.UNREACHABLE


# --- our own network -------------------------------------------------------------------------

PRIVATE = ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "localhost"]


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("host", PRIVATE)
def test_cloud_neither_registers_nor_asks_a_host_of_its_own_network(host: str) -> None:
    url = f"https://{host}/hook"
    with pytest.raises(Invalid, match="public internet") as refused:
        sending.require_allowed(url, field=("input", "url"))
    assert refused.value.field == ("input", "url")
    assert post(url).problem is Problem.FORBIDDEN_ADDRESS


@pytest.mark.usefixtures("cloud")
def test_one_private_address_among_public_ones_forbids_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve(monkeypatch, ["203.119.1.1", "10.0.0.1"])
    with pytest.raises(Invalid):
        sending.require_allowed(f"https://{NAME}/", field=("input", "url"))
    assert post(f"https://{NAME}/").problem is Problem.FORBIDDEN_ADDRESS


@pytest.mark.usefixtures("cloud")
def test_name_that_leads_elsewhere_later_is_looked_at_again_and_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = resolve(monkeypatch, ["203.119.1.1"], ["127.0.0.1"])
    sending.require_allowed(f"https://{NAME}/", field=("input", "url"))
    assert post(f"https://{NAME}/").problem is Problem.FORBIDDEN_ADDRESS
    assert asked == [NAME, NAME]


@pytest.mark.usefixtures("cloud")
def test_cloud_refuses_http_and_unknown_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid, match="https only"):
        sending.require_allowed("http://1.1.1.1/", field=("input", "url"))

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Invalid, match="no address"):
        sending.require_allowed("https://nowhere.example/", field=("input", "url"))


# --- certificates ----------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A certificate for a name, signed by itself; its file is what a client may trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "trusted.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "trusted.pem", folder / "key.pem")
    return context


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trust nobody but the certificate of the test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    sending._certificates.cache_clear()
    yield
    sending._certificates.cache_clear()


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize(
    ("certified", "problem"), [(NAME, None), ("other.example", Problem.UNREACHABLE)]
)
def test_certificate_is_checked_against_the_name_not_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certified: str, problem: Problem | None
) -> None:
    resolve(monkeypatch, ["127.0.0.1"])
    with receivers.serve(certificate(tmp_path, certified)) as server:
        port = server.server_address[1]
        answer = post(f"https://{NAME}:{port}/200")
        assert answer.problem is problem
        hosts = [got.headers["host"] for got in server.got]
    assert hosts == ([f"{NAME}:{port}"] if problem is None else [])
