"""Taking members up again where the club's database is lost and there is no copy: by what the chain knows of them.

A member of the node is an account that the node's own account invited, by PlayEuro's `invite`, and that has joined:
nobody else can make the chain say so. Who was invited and has not joined needs a new link. Names, sessions, links that
wait, and whose account was replaced are on no chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import decode
from eth_typing import HexStr
from web3 import Web3
from web3.exceptions import TransactionNotFound

from tessera.chain.deployments import Tessera
from tessera.chain.errors import ChainError
from tessera.chain.logs import LogReader
from tessera.chain.play_euro import Invited, Joined, Uninvited
from tessera.club.settings import Gas
from tessera.club.store import Store

INVITE = bytes(Web3.keccak(text="invite(address[])")[:4])


@dataclass(frozen=True)
class OnChain:
    """Accounts that a node invited, in that order: those who have `joined`, and those who were let in and have not."""

    joined: tuple[str, ...]
    waiting: tuple[str, ...]


def on_chain(tessera: Tessera, node: str) -> OnChain:
    """Whom the account of a node has invited. Raises NodeError, ChainError where the chain's node has forgotten how."""
    reader = LogReader(tessera.web3, [tessera.play_euro.address], tessera.deployment.first_block)
    invited: dict[str, set[str]] = {}  # by transaction: one of a node's invites many
    may_join: dict[str, bool] = {}
    joined: set[str] = set()
    for row in reader.read():
        match row:
            case Invited():
                if row.transaction not in invited:
                    invited[row.transaction] = _invited_by(tessera, node, HexStr(row.transaction))
                if row.account in invited[row.transaction] or row.account in may_join:
                    may_join[row.account] = True
            case Uninvited():
                if row.account in may_join:
                    may_join[row.account] = False
            case Joined():
                joined.add(row.account)
    return OnChain(
        tuple(account for account in may_join if account in joined),
        tuple(account for account, may in may_join.items() if may and account not in joined),
    )


def _invited_by(tessera: Tessera, node: str, transaction: HexStr) -> set[str]:
    """Whom the account of a node invites by a transaction: nobody where it called another contract, which may be an
    inviter of its own, or another function."""
    euro = tessera.play_euro
    try:
        sent = tessera.web3.eth.get_transaction(transaction)
    except TransactionNotFound:
        raise ChainError(
            f"the chain's node does not know transaction {transaction} any more, by which somebody was invited: as "
            "`rpc`, name a node that keeps all of them (an archive)"
        ) from None
    if sent.get("from") != node or sent.get("to") != euro.address:
        return set()
    data = bytes(sent.get("input", b""))
    if not data.startswith(INVITE):
        return set()
    [accounts] = decode(["address[]"], data[len(INVITE) :])
    return {Web3.to_checksum_address(account) for account in accounts}


def take_up(store: Store, tessera: Tessera, node: str, accounts: Sequence[str], gas: Gas) -> list[str]:
    """Makes accounts that the node invited and that joined members again, where they are none; which these are.

    What they were given today is unknown, so the first time nobody gets more before midnight (UTC): a day never costs
    more than the budget. Raises ChainError where transactions of the node are still under way, RefusedError `full`
    where they are more than the club may have.
    """
    count, address = tessera.web3.eth.get_transaction_count, Web3.to_checksum_address(node)
    if waiting := count(address, "pending") - count(address, "latest"):
        raise ChainError(f"{waiting} transactions of {node} are still under way: wait until they are mined")
    return store.take_up(accounts, node, gas)
