"""Any ERC-20: what people need of a stablecoin before they stake it."""

from dataclasses import dataclass

from web3 import Web3

from tessera.chain.blocks import BlockName
from tessera.chain.contract import Contract, EventLog, Receipt
from tessera.chain.errors import Reverted
from tessera.chain.wallet import Wallet


@dataclass(frozen=True, kw_only=True)
class Transfer(EventLog):
    sender: str
    receiver: str
    value: int


@dataclass(frozen=True, kw_only=True)
class Approval(EventLog):
    owner: str
    spender: str
    value: int


class Erc20(Contract):
    """A token; amounts in its smallest unit."""

    NAME = "BetToken"  # whose ABI has the whole standard

    def balance_of(self, account: str, *, block: BlockName = "latest") -> int:
        """Tokens of an account."""
        return self.read("balanceOf", account, block=block)

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

    def approve(self, sender: Wallet, spender: str, amount: int) -> Receipt:
        """Sets what `spender` may take of the sender's tokens."""
        return self.write(sender, "approve", spender, amount)

    def allow(self, sender: Wallet, spender: str, amount: int) -> None:
        """Lets `spender` take at least `amount` of the sender's tokens; sends nothing where it may already.

        Some tokens (USDT) refuse to change an allowance that is neither 0 nor becomes 0: there it is set to 0 first.
        """
        allowance = self.allowance(sender.address, spender)
        if allowance >= amount:
            return
        try:
            self.approve(sender, spender, amount)
        except Reverted as refused:
            if not allowance or refused.transaction is not None:
                raise
            self.approve(sender, spender, 0)
            self.approve(sender, spender, amount)

    def transfer(self, sender: Wallet, receiver: str, amount: int) -> Receipt:
        """Sends tokens of the sender."""
        return self.write(sender, "transfer", receiver, amount)


@dataclass(frozen=True)
class Token:
    """A token as people read it."""

    address: str
    symbol: str
    decimals: int

    @classmethod
    def of(cls, web3: Web3, address: str) -> "Token":
        """What a token says of itself. Raises ChainError where there is none."""
        token = Erc20(web3, address)
        return cls(address, token.symbol(), token.decimals())

    def text(self, amount: int) -> str:
        """An amount in words: "12.34 USDC"."""
        return f"{amount / 10**self.decimals:,.2f} {self.symbol}"
