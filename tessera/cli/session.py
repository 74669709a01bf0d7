"""What every command needs: the chain, the account, and how to say no."""

import json
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import click
from web3 import Web3

from tessera.chain import ChainError, Deployment, EventLog, NodeError, Reverted, Tessera, Wallet, connect, sign_permit
from tessera.chain.accounts import from_key_file, from_mnemonic, secret_of
from tessera.chain.deployments import LOCAL_CHAINS
from tessera.chain.erc20 import Erc20, Token
from tessera.chain.errors import NodeRefusedError, NotMinedError
from tessera.chain.permits import NoPermits, Permit
from tessera.chain.wallet import Signer
from tessera.index import Index

CONFIRMATIONS = 2  # but on local chains
HOME = Path("~/.tessera")


class Rehearsed(Exception):
    """A dry run came to the transaction that it would have sent."""

    def __init__(self, function: str, gas: int):
        super().__init__(f"dry run: {function} would succeed (gas limit {gas:,}); nothing was sent")
        self.function, self.gas = function, gas


class Rehearsal(Wallet):
    """A wallet that simulates instead of sending."""

    def send(self, call: dict, function: str):
        """Raises Reverted where the chain would refuse, else Rehearsed."""
        self.simulate(call, function)
        raise Rehearsed(function, self.gas(call, function))


@dataclass(frozen=True)
class Keys:
    """Where the account is, as the command line says it; at most one of the first three."""

    key_file: str | None = None
    mnemonic_file: str | None = None
    devnet_account: int | None = None
    passphrase_file: str | None = None
    number: int = 0

    def signer(self, chain_id: int) -> Signer | None:
        """The account, None if none is named. Raises ChainError; asks for a passphrase that no file has."""
        if sum(found is not None for found in (self.key_file, self.mnemonic_file, self.devnet_account)) > 1:
            raise ChainError("name one account: a key file, a mnemonic, or one of the devnet's")
        if self.key_file is not None:
            file = self.passphrase_file
            phrase = secret_of(file) if file else click.prompt("passphrase", hide_input=True, err=True)
            return from_key_file(self.key_file, phrase)
        if self.mnemonic_file is not None:
            return from_mnemonic(secret_of(self.mnemonic_file), self.number)
        if self.devnet_account is not None:
            if chain_id not in LOCAL_CHAINS:
                raise ChainError("the devnet's accounts are for a devnet: everybody knows their keys")
            from tessera.chain.embedded import known_account

            return known_account(self.devnet_account)
        return None


@dataclass
class Session:
    """One run of the command."""

    rpc: str
    record: str
    keys: Keys
    as_json: bool = False
    dry_run: bool = False
    home: Path = field(default_factory=lambda: HOME)

    @cached_property
    def web3(self) -> Web3:
        """The node. Raises ChainError where none answers."""
        web3 = connect(self.rpc)
        try:
            web3.eth.chain_id  # noqa: B018
        except NodeError as error:
            raise ChainError(
                f"no node answers at {self.rpc}: {error}. Start a devnet with `make devnet`, or say --rpc URL"
            ) from None
        return web3

    @cached_property
    def tessera(self) -> Tessera:
        """The contracts. Raises ChainError without a record, or with one of another chain."""
        return Tessera(self.web3, Deployment.load(self.record))

    @cached_property
    def index(self) -> Index:
        """All that happened, up to the newest block."""
        record = self.tessera.deployment
        folder = self.home.expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        # Another deployment, or a devnet started again, is another history.
        genesis = Web3.to_hex(self.web3.eth.get_block(record.first_block)["hash"])[2:14]
        index = Index(f"sqlite:///{folder}/{record.chain_id}-{genesis}.db", self.web3, record)
        index.sync()
        return index

    def logs(self, *kinds: type[EventLog], **equal) -> list[EventLog]:
        """Events of some kinds up to the newest block, oldest first, whose fields are equal to what is given."""
        with self.index.snapshot() as snapshot:
            return list(snapshot.rows(*kinds, **equal))

    @cached_property
    def prize_token(self) -> Token:
        """What prizes are paid in."""
        return Token.of(self.web3, self.tessera.prizes.prize_token())

    @cached_property
    def signer(self) -> Signer | None:
        """The session's account, None for whoever only looks. Asks for its passphrase once."""
        return self.keys.signer(self.web3.eth.chain_id)

    @cached_property
    def wallet(self) -> Wallet:
        """Who sends. Raises ChainError where no account is named."""
        if self.signer is None:
            raise ChainError("say who you are: --key-file, --mnemonic-file or, on a devnet, --devnet-account N")
        kind = Rehearsal if self.dry_run else Wallet
        confirmations = 0 if self.web3.eth.chain_id in LOCAL_CHAINS else CONFIRMATIONS
        return kind(self.web3, self.signer, confirmations=confirmations)

    def who(self, account: str | None) -> str:
        """The address to look at: one that was named, or the session's own. Raises ChainError."""
        if account is None:
            return self.wallet.address
        if not Web3.is_address(account):
            raise ChainError(f"{account} is not an address")
        return Web3.to_checksum_address(account)

    @property
    def viewer(self) -> str | None:
        """The session's own address, None for whoever only looks."""
        return None if self.signer is None else Web3.to_checksum_address(self.signer.address)

    @property
    def now(self) -> int:
        """Unix seconds by the chain's clock, which a devnet's owner can move ahead of ours."""
        return max(int(time.time()), self.web3.eth.get_block("latest")["timestamp"])

    def permit(self, token: str, spender: str, amount: int) -> Permit | None:
        """A permit of the session's account; None where the token knows none and the amount was approved instead."""
        wallet = self.wallet
        try:
            return sign_permit(self.web3, wallet.account, token, spender, amount)
        except NoPermits:
            erc20 = Erc20(self.web3, token)
            if erc20.allowance(wallet.address, spender) < amount:
                erc20.approve(wallet, spender, amount)
            return None


class Commands(click.Group):
    """Says why not in one line: the contract's reason, and what to do about it."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except Rehearsed as rehearsed:
            found = {"would_succeed": rehearsed.function, "gas_limit": rehearsed.gas}
            click.echo(json.dumps(found, indent=2) if ctx.obj.as_json else str(rehearsed))
            return None
        except Reverted as refused:
            raise click.ClickException(f"{refused}. {refused.advice}".removesuffix(" ")) from None
        except (NodeError, NotMinedError) as error:
            raise click.ClickException(_of_node(error)) from None
        except ChainError as error:
            raise click.ClickException(str(error)) from None


def _of_node(error: Exception) -> str:
    """What a node's failure means to who runs a command."""
    if isinstance(error, NodeRefusedError):
        poor = "insufficient funds" in error.rpc_message.lower()
        return f"the node refuses: {error.rpc_message}" + ". Your account needs ETH of this network for the fee" * poor
    if isinstance(error, NotMinedError):
        return f"{error}. It may still be mined: look at your account before you try again"
    if isinstance(error, NodeError) and error.may_be_sent:
        return f"the node failed ({error}): what was sent may be done, look before you try again"
    return f"the node failed: {error}"


def pause(seconds: int) -> str:
    """A length of time in words: "3 d 4 h", "12 min", "now"."""
    if seconds <= 0:
        return "now"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours)
    return " ".join(parts[:2] or [f"{max(1, rest // 60)} min"])
