"""Key and certificates: made once, kept to oneself, and refused in one line where they are no good."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.certificates import certificate
from tests.support.signed_videos import make, sign
from vidgan.errors import CredentialsError
from vidgan.provenance.check import check_file
from vidgan.provenance.signing_identity import SigningIdentity, own_anchors, own_identity, read_identity


def test_made_once_and_readable_by_nobody_else(tmp_path: Path) -> None:
    first = own_identity(tmp_path)
    assert own_identity(tmp_path) == first and first.algorithm == "es256"
    assert (tmp_path / "signer.pem").stat().st_mode & 0o777 == 0o600
    assert own_anchors(tmp_path).count("BEGIN CERTIFICATE") == 1
    assert "PRIVATE KEY" not in first.chain + own_anchors(tmp_path) + repr(first)


def test_what_was_checked_is_read_without_cryptography_until_it_changes(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
sys.modules["cryptography"] = None
from vidgan.provenance.signing_identity import own_identity
print(repr(own_identity(Path(sys.argv[1])).key))
"""

    def read() -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)

    identity = own_identity(tmp_path)
    assert read().stdout.strip() == repr(identity.key)
    path, check = tmp_path / "signer.pem", tmp_path / "signer.json"
    assert check.stat().st_mode & 0o777 == 0o600
    found = check.read_text()
    check.write_text(found.replace('"expires": "20', '"expires": "19'))
    assert "cryptography" in read().stderr
    check.write_text(found)
    path.write_bytes(path.read_bytes() + b"\n")
    assert "cryptography" in read().stderr and own_identity(tmp_path) == identity


def test_processes_that_begin_together_have_the_same(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from vidgan.provenance.signing_identity import own_identity
print(own_identity(Path(sys.argv[1])).chain)
"""
    running = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    chains = {process.communicate()[0] for process in running}
    assert len(chains) == 1 and "BEGIN CERTIFICATE" in chains.pop()


def test_marks_of_a_job_are_those_of_the_machine(tmp_path: Path) -> None:
    one, other = own_identity(tmp_path / "one"), own_identity(tmp_path / "other")
    assert one.mark_id("job") == one.mark_id("job") != one.mark_id("another job")
    assert one.mark_id("job") != other.mark_id("job")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_data_folder_is_one_clear_line_as_a_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CredentialsError, match=r"cannot be kept there .*`sign_cert`"):
        own_identity(tmp_path / "credentials")


def test_data_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CredentialsError, match=r"cannot be kept there .*`sign_cert`.*`credentials=False`"):
        own_identity(tmp_path / "file" / "credentials")


def test_damaged_key_is_one_clear_line(tmp_path: Path) -> None:
    own_identity(tmp_path)
    path = tmp_path / "signer.pem"
    path.write_bytes(path.read_bytes()[:-120])
    with pytest.raises(CredentialsError, match=r"signer\.pem: .*remove the file, and a new one is made"):
        own_identity(tmp_path)


def test_expired_one_is_put_aside_and_goes_on_vouching(tmp_path: Path) -> None:
    chain, key = certificate(days=(-10, -1))
    (tmp_path / "signer.pem").write_bytes(chain + key)
    assert own_identity(tmp_path).chain != chain.decode()
    assert own_anchors(tmp_path).count("BEGIN CERTIFICATE") == 2


def test_a_certificate_that_is_brought_signs(tmp_path: Path, own_key: SigningIdentity) -> None:
    chain, key = certificate()
    (tmp_path / "cert.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    path = make(tmp_path / "a.jpg")
    sign(path, read_identity(tmp_path / "cert.pem", tmp_path / "key.pem"))
    found = check_file(path, search=False)
    assert found.credentials == "valid" and found.manifest is not None and found.manifest.signer == "Studio"
    assert check_file(path, trust=tmp_path / "cert.pem", search=False).credentials == "trusted"


@pytest.mark.parametrize(
    ("chain", "key", "words"),
    [
        (certificate(days=(-10, -1))[0], None, "expired on"),
        (certificate(days=(5, 10))[0], None, "valid only from"),
        (certificate()[0], certificate()[1], r"cert\.pem: is not the certificate of .*key\.pem"),
        (b"nothing", certificate()[1], r"cert\.pem: holds no certificate"),
        (certificate()[0], b"nothing", r"key\.pem: holds no private key"),
    ],
)
def test_a_certificate_that_is_no_good_is_one_clear_line(
    chain: bytes, key: bytes | None, words: str, tmp_path: Path
) -> None:
    if key is None:
        days = (-10, -1) if "expired" in words else (5, 10)
        chain, key = certificate(days=days)
    (tmp_path / "cert.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    with pytest.raises(CredentialsError, match=words):
        read_identity(tmp_path / "cert.pem", tmp_path / "key.pem")


def test_a_certificate_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"cert\.pem: cannot be read: No such file"):
        read_identity(tmp_path / "cert.pem", tmp_path / "key.pem")
