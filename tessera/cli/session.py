"""What every command needs: the node, the contracts, the index, the account."""

import atexit
import shutil
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from tessera.cli.failures import Refused

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3
    from web3.types import TxParams

    from tessera.chain import Deployment, Tessera, Wallet
    from tessera.chain.blocks import Block
    from tessera.chain.contract import E
    from tessera.chain.erc20 import Token
    from tessera.chain.permits import Permit
    from tessera.index import Index

CONFIRMATIONS = 2  # but on local chains
HOME = Path("~/.tessera")


class Rehearsed(Exception):
    """A dry run came to the transaction that it would have sent."""

    def __init__(self, function: str, gas: int):
        super().__init__(f"dry run: {function} would succeed (gas limit {gas:,}); nothing was sent")
        self.function, self.gas = function, gas


@dataclass(frozen=True)
class Keys:
    """Where the account is, as the command line says it; at most one of the first three."""

    key_file: str | None = None
    mnemonic_file: str | None = None
    devnet_account: int | None = None
    passphrase_file: str | None = None
    number: int = 0

    def signer(self, chain_id: int) -> "LocalAccount | None":
        """The account, None if none is named. Raises Refused or ChainError; asks for a passphrase that no file has."""
        from tessera.chain.accounts import from_key_file, from_mnemonic, secret_of
        from tessera.chain.deployments import LOCAL_CHAINS

        if sum(key is not None for key in (self.key_file, self.mnemonic_file, self.devnet_account)) > 1:
            raise Refused("account", "name one account: a key file, a mnemonic, or one of the devnet's")
        if self.key_file is not None:
            file = self.passphrase_file
            phrase = secret_of(file) if file else click.prompt("passphrase", hide_input=True, err=True)
            return from_key_file(self.key_file, phrase)
        if self.mnemonic_file is not None:
            return from_mnemonic(secret_of(self.mnemonic_file), self.number)
        if self.devnet_account is not None:
            if chain_id not in LOCAL_CHAINS:
                raise Refused("account", "the devnet's accounts are for a devnet: everybody knows their keys")
            from tessera.chain.embedded import known_account

            return known_account(self.devnet_account)
        return None


@dataclass
class Session:
    """One run of the command.

    `transactions` is what it sent, by hash: "done", "failed", or "unknown" as long as nobody has seen its receipt.
    """

    rpc: str
    record: str
    keys: Keys
    as_json: bool = False
    dry_run: bool = False
    home: Path = field(default_factory=lambda: HOME)
    transactions: dict[str, str] = field(default_factory=dict)

    @cached_property
    def web3(self) -> "Web3":
        """The node. Raises Refused where none answers."""
        from tessera.chain import NodeError

        web3 = connect(self.rpc)
        record_transactions(web3, self.transactions)
        try:
            web3.eth.chain_id  # noqa: B018
        except NodeError as error:
            raise Refused(
                error.code,
                f"no node answers at {self.rpc}: {error}. Start a devnet with `make devnet`, or say --rpc URL",
            ) from None
        return web3

    @cached_property
    def deployment(self) -> "Deployment":
        """The record of what is deployed. Raises ChainError where there is none."""
        from tessera.chain import Deployment

        return Deployment.load(self.record)

    @cached_property
    def tessera(self) -> "Tessera":
        """The contracts. Raises ChainError without a record, or with one of another chain."""
        from tessera.chain import Tessera

        return Tessera(self.web3, self.deployment)

    @cached_property
    def index(self) -> "Index":
        """All that happened, up to the newest block. A dry run reads it into a copy.

        Raises IncompleteError where the node leaves logs out.
        """
        from tessera.chain.deployments import history_of
        from tessera.index import Index

        record = self.tessera.deployment
        folder = self.home.expanduser()
        name = f"{history_of(self.web3, record)}.db"
        if self.dry_run:
            folder = _copied(folder / name)
        folder.mkdir(parents=True, exist_ok=True)
        index = Index(f"sqlite:///{folder}/{name}", self.web3, record)
        if context := click.get_current_context(silent=True):
            context.call_on_close(index.engine.dispose)  # all is in the one file again when the command ends
        index.sync()
        index.check()
        return index

    def logs(self, *kinds: "type[E]", **equal) -> "list[E]":
        """Events of some kinds up to the newest block, oldest first, whose fields are equal to what is given."""
        with self.index.snapshot() as snapshot:
            return list(snapshot.rows(*kinds, **equal))

    @cached_property
    def prize_token(self) -> "Token":
        """What prizes are paid in."""
        from tessera.chain.erc20 import Token

        return Token.of(self.web3, self.tessera.prizes.prize_token())

    @cached_property
    def signer(self) -> "LocalAccount | None":
        """The session's account, None for whoever only looks. Asks for its passphrase once."""
        return self.keys.signer(self.web3.eth.chain_id)

    @property
    def account(self) -> "LocalAccount":
        """The session's account. Raises Refused where none is named."""
        if self.signer is None:
            raise Refused("account", "say who you are: --key-file, --mnemonic-file or, on a devnet, --devnet-account N")
        return self.signer

    @cached_property
    def wallet(self) -> "Wallet":
        """Who sends; in a dry run it simulates instead. Raises Refused where no account is named."""
        from tessera.chain import Wallet
        from tessera.chain.deployments import LOCAL_CHAINS

        class Rehearsal(Wallet):
            def send(self, call: "TxParams", function: str):
                self.simulate(call, function)
                raise Rehearsed(function, self.gas(call, function))

        confirmations = 0 if self.web3.eth.chain_id in LOCAL_CHAINS else CONFIRMATIONS
        return (Rehearsal if self.dry_run else Wallet)(self.web3, self.account, confirmations=confirmations)

    def who(self, account: str | None) -> str:
        """The address to look at: the named one, or the session's own. Raises Refused."""
        return self.wallet.address if account is None else account

    @property
    def viewer(self) -> str | None:
        """The session's own address, None for whoever only looks."""
        return None if self.signer is None else self.wallet.address

    @property
    def now(self) -> int:
        """Unix seconds by the chain's clock, which a devnet's owner can move ahead of ours."""
        return max(int(time.time()), self.head.timestamp)

    @property
    def head(self) -> "Block":
        """The newest block."""
        from tessera.chain.blocks import block_at

        return block_at(self.web3)

    def permit(self, token: str, spender: str, amount: int) -> "Permit | None":
        """A permit for `spender` to take an amount; None where it may take that much already.

        A token without permits is approved by a transaction instead, which is waited for.
        """
        from tessera.chain import sign_permit
        from tessera.chain.erc20 import Erc20
        from tessera.chain.permits import NoPermits

        erc20 = Erc20(self.web3, token)
        if erc20.allowance(self.wallet.address, spender) >= amount:
            return None
        try:
            return sign_permit(self.web3, self.account, token, spender, amount)
        except NoPermits:
            erc20.allow(self.wallet, spender, amount)
            return None


def connect(url: str) -> "Web3":
    """A Web3 of the node at a URL."""
    from tessera.chain import connect

    return connect(url)


def record_transactions(web3: "Web3", transactions: dict[str, str]) -> None:
    """Notes every transaction that a Web3 hands to its node, and its end when the receipt is seen, by hash."""
    from hexbytes import HexBytes
    from web3 import Web3
    from web3.middleware import Web3Middleware
    from web3.types import RPCEndpoint

    class Recorder(Web3Middleware):
        def wrap_make_request(self, make_request):
            def make(method: RPCEndpoint, params: Any):
                if method == "eth_sendRawTransaction":
                    transactions[Web3.to_hex(Web3.keccak(HexBytes(params[0])))] = "unknown"
                response = make_request(method, params)
                if method == "eth_getTransactionReceipt" and (receipt := response.get("result")):
                    status = receipt["status"]
                    succeeded = int(status, 16) if isinstance(status, str) else status
                    # Offers of the same transaction at other prices are void now.
                    for other in [hash_ for hash_, state in transactions.items() if state == "unknown"]:
                        del transactions[other]
                    transactions[Web3.to_hex(HexBytes(receipt["transactionHash"]))] = "done" if succeeded else "failed"
                return response

            return make

    web3.middleware_onion.inject(Recorder, name="tessera transactions", layer=0)


def _copied(database: Path) -> Path:
    """A folder that goes when the command ends, with a copy of a database in it, if there is one."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    # Opening it, even to read, would write SQLite's files beside it.
    for file in (database, database.with_name(f"{database.name}-wal")):
        if file.exists():
            shutil.copy(file, folder.name)
    return Path(folder.name)


def pause(seconds: int) -> str:
    """A length of time in words: "3 d 4 h", "12 min", "now"."""
    if seconds <= 0:
        return "now"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours)
    return " ".join(parts[:2] or [f"{max(1, rest // 60)} min"])
