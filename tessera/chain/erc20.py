"""Any ERC-20: what people need of a stablecoin before they stake it."""

from dataclasses import dataclass

from tessera.chain.contract import Contract, Done, Row
from tessera.chain.wallet import Wallet


@dataclass(frozen=True, kw_only=True)
class Transfer(Row):
    sender: str
    receiver: str
    value: int


@dataclass(frozen=True, kw_only=True)
class Approval(Row):
    owner: str
    spender: str
    value: int


class Erc20(Contract):
    """A token; amounts in its smallest unit."""

    NAME = "BetToken"  # whose ABI has the whole standard

    def balance_of(self, account: str) -> int:
        """Tokens of an account."""
        return self.read("balanceOf", account)

    def decimals(self) -> int:
        """Digits of an amount behind the point."""
        return self.read("decimals")

    def symbol(self) -> str:
        """Its short name."""
        return self.read("symbol")

    def allowance(self, owner: str, spender: str) -> int:
        """What `spender` may still take of an owner's tokens."""
        return self.read("allowance", owner, spender)

    def total_supply(self) -> int:
        """All tokens there are."""
        return self.read("totalSupply")

    def approve(self, sender: Wallet, spender: str, amount: int) -> Done:
        """Lets `spender` take tokens of the sender."""
        return self.write(sender, "approve", spender, amount)

    def transfer(self, sender: Wallet, receiver: str, amount: int) -> Done:
        """Sends tokens of the sender."""
        return self.write(sender, "transfer", receiver, amount)
