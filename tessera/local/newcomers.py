"""What somebody new to a devnet gets: gas money, an invitation to the club, and test dollars.

Needs the compiler (group `ops`), as the devnet does.
"""

from threading import Lock

from web3 import Web3

from tessera.chain import Tessera
from tessera.local.chain import DAY, UNITS, LocalChain, ask_node, let_pass, require_local

GAS_MONEY = 10**18
PURSE = 10_000  # test dollars of each asset
LONGEST_DAYS = 30


class Newcomers:
    """The one place that gives: each gift is looked at by itself, so that whoever was cut off halfway gets the rest.

    `lock` is held while the owner's transactions are sent; whoever else sends as the owner takes it, too.
    """

    def __init__(self, local: LocalChain, lock: Lock):
        """Raises ChainError where the chain is no devnet."""
        require_local(local.web3)
        self.local, self.lock = local, lock

    @property
    def tessera(self) -> Tessera:
        """The devnet's contracts."""
        return self.local.tessera

    def fund(self, account: str) -> None:
        """Gives an account whatever it has not got yet. Raises ValueError where it is no address."""
        account = Web3.to_checksum_address(account)
        web3, club, owner = self.local.web3, self.tessera.play_euro, self.local.owner
        with self.lock:
            if web3.eth.get_balance(account) < GAS_MONEY // 10:
                ask_node(web3, "anvil_setBalance", account, hex(GAS_MONEY))
            if not club.invited(account) and not club.joined(account):
                club.invite(owner, [account])
            for asset, unit in UNITS.items():
                given = self.local.token(asset).balance_of(account)
                staked = self.tessera.staking.principal_of(account, self.local.token(asset).address)
                if given + staked == 0:
                    self.local.give(account, asset, PURSE * unit)

    def let_pass(self, days: float) -> None:
        """Moves the clock by up to 30 days. Raises ValueError for more or less."""
        if not 0 < days <= LONGEST_DAYS:
            raise ValueError(f"days: more than 0, at most {LONGEST_DAYS}")
        let_pass(self.local.web3, int(days * DAY), self.local.blocks_per_hour)
