"""Certificates made for a test, which nobody else trusts."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from settings.listening import Tls


def certificate(folder: Path, *, name: str = "hotline.test", days: int = 30, stem: str = "tls") -> Tls:
    """A new certificate for `name` and 127.0.0.1, and its key for the owner alone; days: how long it holds from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    tls = Tls(certificate=str(folder / f"{stem}.crt"), key=str(folder / f"{stem}.key"))
    Path(tls.key).touch(mode=0o600)
    Path(tls.key).write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    Path(tls.certificate).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return tls
