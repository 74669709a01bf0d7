"""Accounts to sign with: an encrypted key file, or the words of a mnemonic."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.exceptions import ValidationError

from tessera.chain.errors import ChainError

KEY_PATH = "m/44'/60'/0'/0"  # BIP-44, Ethereum; the index follows


def text_of(path: Path | str) -> str:
    """The text of a file in UTF-8, or as Windows writes it: with a byte order mark, in UTF-8 or UTF-16.

    Raises ChainError where it is missing or no text.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise ChainError(f"cannot read {path}: {error.strerror}") from None
    try:
        text = raw.decode("utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ChainError(f"{path} is not a text in UTF-8: save it as UTF-8")
    return text


def secret_of(path: Path | str) -> str:
    """The first line of a file: a passphrase or a mnemonic. Raises ChainError where it is missing, empty or no text."""
    lines = text_of(path).splitlines()
    if not lines or not lines[0].strip():
        raise ChainError(f"{path} is empty")
    return lines[0].strip()


def from_key_file(path: Path | str, passphrase: str) -> LocalAccount:
    """The account of an encrypted key file (Web3 Secret Storage, as Ape, geth and wallets write it).

    Raises ChainError where the file is missing, is no key file, or the passphrase is wrong.
    """
    try:
        return Account.from_key(Account.decrypt(text_of(path), passphrase))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        why = "wrong passphrase" if "MAC mismatch" in str(error) else "not a key file"
        raise ChainError(f"{path}: {why}") from None


def from_mnemonic(words: str, index: int = 0) -> LocalAccount:
    """The account of a number (from 0) of a mnemonic, at Ethereum's usual path. Raises ChainError for bad words."""
    Account.enable_unaudited_hdwallet_features()
    try:
        return Account.from_mnemonic(words, account_path=f"{KEY_PATH}/{index}")
    except ValidationError:
        raise ChainError("these words are no mnemonic") from None
