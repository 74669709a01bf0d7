"""Accounts from key files and mnemonics."""

import json

import pytest
from eth_account import Account

from tessera.chain import ChainError
from tessera.chain.accounts import from_key_file, from_mnemonic, secret_of
from tessera.chain.embedded import MNEMONIC

# Published with every local chain: the second account of the mnemonic.
ADDRESS, KEY = (
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
)


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "a passphrase", kdf="pbkdf2", iterations=10)))
    return path


def test_an_account_of_a_key_file(key_file):
    account = from_key_file(key_file, "a passphrase")
    assert (account.address, account.key) == (ADDRESS, bytes.fromhex(KEY[2:]))


def test_reverts_when_the_passphrase_is_wrong(key_file):
    with pytest.raises(ChainError, match="wrong passphrase"):
        from_key_file(key_file, "another")


@pytest.mark.parametrize("text", ["", "no json", "{}", '{"crypto": 1, "version": 3}', "[]"])
def test_reverts_when_it_is_no_key_file(key_file, text):
    key_file.write_text(text)
    with pytest.raises(ChainError, match="not a key file"):
        from_key_file(key_file, "a passphrase")


def test_reverts_when_there_is_no_key_file(tmp_path):
    with pytest.raises(ChainError, match="No such file"):
        from_key_file(tmp_path / "key.json", "a passphrase")


def test_an_account_of_a_mnemonic():
    assert from_mnemonic(MNEMONIC, 1).address == ADDRESS
    assert from_mnemonic(MNEMONIC, 2).address != ADDRESS


@pytest.mark.parametrize("words", ["", "test test", "not words of the list at all but twelve of them are there"])
def test_reverts_when_words_are_no_mnemonic(words):
    with pytest.raises(ChainError, match="no mnemonic"):
        from_mnemonic(words)


def test_a_secret_is_the_first_line(tmp_path):
    path = tmp_path / "secret"
    path.write_text("  a passphrase \nof two lines\n")
    assert secret_of(path) == "a passphrase"


@pytest.mark.parametrize(("text", "said"), [(None, "cannot read"), ("", "is empty"), ("\n", "is empty")])
def test_reverts_when_there_is_no_secret(tmp_path, text, said):
    path = tmp_path / "secret"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ChainError, match=said):
        secret_of(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_a_secret_that_windows_wrote(tmp_path, key_file, encoding):
    """Notepad writes a byte order mark, PowerShell UTF-16."""
    marks = {"utf-16-le-bom": b"\xff\xfe", "utf-16-be-bom": b"\xfe\xff"}
    raw = marks.get(encoding, b"") + "a passphrase\r\n".encode(encoding.removesuffix("-bom"))
    (tmp_path / "secret").write_bytes(raw)
    assert secret_of(tmp_path / "secret") == "a passphrase"
    key_file.write_bytes(marks.get(encoding, b"") + key_file.read_text().encode(encoding.removesuffix("-bom")))
    assert from_key_file(key_file, "a passphrase").address == ADDRESS


@pytest.mark.parametrize(
    "raw", ["a passphrase".encode("utf-16-le"), "geheimnis für alle".encode("latin-1"), b"\xff\xfe\x00"]
)
def test_a_secret_that_is_no_text_is_refused(tmp_path, raw):
    (tmp_path / "secret").write_bytes(raw)
    with pytest.raises(ChainError, match="is not a text in UTF-8"):
        secret_of(tmp_path / "secret")
