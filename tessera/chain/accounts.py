"""Accounts to sign with: an encrypted key file, or the words of a mnemonic."""

from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.exceptions import ValidationError

from tessera.chain.errors import ChainError

KEY_PATH = "m/44'/60'/0'/0"  # BIP-44, Ethereum; the index follows


def secret_of(path: Path | str) -> str:
    """The first line of a file: a passphrase or a mnemonic. Raises ChainError where it is missing or empty."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ChainError(f"cannot read {path}: {error.strerror}") from None
    if not lines or not lines[0].strip():
        raise ChainError(f"{path} is empty")
    return lines[0].strip()


def from_key_file(path: Path | str, passphrase: str) -> LocalAccount:
    """The account of an encrypted key file (Web3 Secret Storage, as Ape, geth and wallets write it).

    Raises ChainError where the file is missing, is no key file, or the passphrase is wrong.
    """
    try:
        return Account.from_key(Account.decrypt(Path(path).read_text(encoding="utf-8"), passphrase))
    except OSError as error:
        raise ChainError(f"cannot read {path}: {error.strerror}") from None
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
