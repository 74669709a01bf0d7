"""Ape's networks and accounts as tessera.chain wants them, for `ape run` scripts (dependency group `ops`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
from ape.api import AccountAPI, ProviderAPI
from ape_accounts.accounts import InvalidPasswordError, KeyfileAccount
from eth_account.messages import SignableMessage
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from tessera.chain.contract import address_of
from tessera.chain.embedded import read_logs_fast
from tessera.chain.errors import ChainError
from tessera.chain.wallet import Wallet
from tessera.deployment.artifacts import ROOT


@dataclass(frozen=True)
class ApeSigned:
    """A transaction that Ape signed."""

    raw_transaction: HexBytes
    hash: HexBytes


@dataclass(frozen=True)
class SignedMessage:
    """What eth_account returns for a signed message."""

    v: int
    r: int
    s: int

    @property
    def signature(self) -> bytes:
        return self.r.to_bytes(32, "big") + self.s.to_bytes(32, "big") + bytes([self.v])


class ApeSigner:
    """An Ape account that a Wallet can send with, and that signs messages."""

    def __init__(self, provider: ProviderAPI, account: AccountAPI):
        self.address = str(account.address)
        self._provider = provider
        self._account = account

    def sign_transaction(self, transaction: dict, /) -> ApeSigned:
        """Signs with Ape. Raises ChainError where the account will not."""
        prepared = self._provider.network.ecosystem.create_transaction(
            **transaction, required_confirmations=0, sender=self._account.address
        )
        signed = self._account.sign_transaction(prepared)
        if signed is None:
            raise ChainError(f"{self.address} did not sign")
        raw = HexBytes(signed.serialize_transaction())
        return ApeSigned(raw, HexBytes(keccak(raw)))

    def sign_message(self, message: SignableMessage) -> SignedMessage:
        """Signs with Ape. Raises ChainError where the account will not."""
        signed = self._account.sign_message(message)
        if signed is None:
            raise ChainError(f"{self.address} did not sign")
        return SignedMessage(signed.v, int.from_bytes(signed.r, "big"), int.from_bytes(signed.s, "big"))


def wallet_of(provider: ProviderAPI, alias: str | None, passphrase: str | None = None) -> Wallet:
    """The wallet of an account of Ape's: its alias, TEST::n, or None for TEST::0 on a local network.

    A key file is unlocked once: with the passphrase, or else by Ape's own prompt or APE_ACCOUNTS_<alias>_PASSPHRASE.
    Raises ChainError.
    """
    account = _account(provider, alias)
    if isinstance(account, KeyfileAccount):
        try:
            account.set_autosign(True, passphrase)
        except InvalidPasswordError:
            raise ChainError(f"wrong passphrase for {alias}") from None
    if provider.name == "test":
        read_logs_fast()
    return Wallet(provider.web3, ApeSigner(provider, account))


def account_of(provider: ProviderAPI, alias: str | None) -> ChecksumAddress:
    """The address of an account, named as for `wallet_of`; nothing is unlocked. Raises ChainError."""
    return address_of(str(_account(provider, alias).address))


def _account(provider: ProviderAPI, alias: str | None) -> AccountAPI:
    if alias is None:
        if not provider.network.is_dev:
            raise ChainError("say which account: --account ALIAS (`ape accounts list`)")
        alias = "TEST::0"
    accounts: Any = ape.accounts  # made when it is asked for, so that no type says what it is
    if alias.startswith("TEST::"):
        try:
            return accounts.test_accounts[int(alias.removeprefix("TEST::"))]
        except (ValueError, IndexError):
            raise ChainError(f"Ape knows no account {alias}") from None
    if alias not in accounts.aliases:
        raise ChainError(f"Ape knows no account {alias}")
    return accounts.load(alias)


def record_path(provider: ProviderAPI) -> Path:
    """Where the record of a network is kept: deployments/sepolia.json, deployments/arbitrum-sepolia.json."""
    ecosystem, network = provider.network.ecosystem.name, provider.network.name
    return ROOT / "deployments" / f"{network if ecosystem == 'ethereum' else f'{ecosystem}-{network}'}.json"
