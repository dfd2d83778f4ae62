"""TLS to a recipient: its certificate must come from the authority named, ours is shown to it, and nothing below TLS 1.2 is spoken."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import delivery
from delivery import DeliveryFailed, Door, RecipientContractBreach, RecipientUnavailable
from tests.delivery.platform_server import BATCH, SECRET, Platform, door, receipted, running


@dataclass(frozen=True)
class Authority:
    """An authority of this test's own that issues certificates for 127.0.0.1."""

    folder: Path
    name: str

    @property
    def path(self) -> str:
        return str(self.folder / f"{self.name}.pem")

    def make(self) -> Authority:
        self._issue(self.name, None)
        return self

    def issue(self, name: str) -> tuple[str, str]:
        """Certificate and key of a party, as files."""
        return self._issue(name, x509.load_pem_x509_certificate(Path(self.path).read_bytes()))

    def _issue(self, name: str, authority: x509.Certificate | None) -> tuple[str, str]:
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signing = key if authority is None else serialization.load_pem_private_key((self.folder / f"{self.name}.key").read_bytes(), None)
        made = x509.CertificateBuilder(
            issuer_name=authority.subject if authority else subject, subject_name=subject, public_key=key.public_key(),
            serial_number=x509.random_serial_number(), not_valid_before=now - timedelta(days=1), not_valid_after=now + timedelta(days=1),
        ).add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        paths[0].write_bytes(made.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))  # type: ignore[arg-type]
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return str(paths[0]), str(paths[1])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "authority").make()


def context(authority: Authority) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*authority.issue("recipient"))
    made.load_verify_locations(authority.path)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


@contextmanager
def recipient(tls: ssl.SSLContext) -> Iterator[Platform]:
    with Platform(receipted) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        with running(server):
            yield server


def there(server: Platform, **changed: str) -> Door:
    return door(server.url.replace("http:", "https:"), **changed)


def ours(authority: Authority, name: str = "gateway") -> dict[str, str]:
    certificate, key = authority.issue(name)
    return {"client_certificate": certificate, "client_key": key, "ca": authority.path}


def test_who_shows_the_agreed_certificate_is_let_in_and_gets_its_receipt(authority: Authority) -> None:
    with recipient(context(authority)) as server:
        assert delivery.deliver(BATCH, there(server, **ours(authority))).accepted == ("1-a", "1-b")


def test_without_our_certificate_nothing_is_taken(authority: Authority) -> None:
    with recipient(context(authority)) as server:
        with pytest.raises(DeliveryFailed):
            delivery.deliver(BATCH, there(server, ca=authority.path))
        assert server.got == []


@pytest.mark.parametrize("known", ["the system's authorities", "another authority"])
def test_a_certificate_that_is_not_trusted_gets_no_byte_of_a_batch(authority: Authority, tmp_path: Path, known: str) -> None:
    said = ours(authority) | {"ca": "" if known.startswith("the") else Authority(tmp_path, "other").make().path}
    with recipient(context(authority)) as server:
        with pytest.raises(RecipientContractBreach, match="not trusted") as caught:
            delivery.deliver(BATCH, there(server, **said))
        assert server.got == [] and SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["client_certificate", "ca"])
def test_a_certificate_file_that_is_not_there_is_told_by_its_connection(authority: Authority, name: str) -> None:
    with recipient(context(authority)) as server:
        with pytest.raises(RecipientContractBreach, match="connection national_platform"):
            delivery.deliver(BATCH, there(server, **ours(authority) | {name: "/nowhere/at-all.pem"}))
        assert server.got == []


def test_below_tls_1_2_nothing_is_spoken(authority: Authority) -> None:
    old = context(authority)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with recipient(old) as server:
        with pytest.raises(RecipientUnavailable):
            delivery.deliver(BATCH, there(server, **ours(authority)))
        assert server.got == []


def test_t6_a_recipient_that_speaks_no_tls_is_tried_later(authority: Authority) -> None:
    with Platform(receipted) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with pytest.raises(RecipientUnavailable):
            delivery.deliver(BATCH, there(server, ca=authority.path))
        server.shutdown()
        assert server.got == []
