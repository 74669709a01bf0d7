"""A house of hosted bets as tests use it: one of the two products over an ordinary Escrow, players, host and panel."""

import boa
import pytest
from eth_account import Account
from eth_utils import keccak

from tessera.chain.hosted_bets import NO_SIGNATURE, Bet, HostSignature, Listing, Signer
from tests.panels import accounts, panel_id_of, sign
from tests.prize_system import load

COIN = 10**6
HOUR, DAY = 3_600, 86_400
NOW = 1_800_000_000
CHAIN_ID = 31_337
INVALID = 2**256 - 1
RICH = 10**12 * COIN
PURSE = 100_000 * COIN
THRESHOLD = 3


class House:
    """Players have `PURSE` in Escrow and consent. The host has as much, for odds. A relayer has nothing.

    People are eth-account accounts, so that each can sign; what sends a transaction is their address.
    """

    def __init__(self, name: str, token=None):
        boa.env.enable_fast_mode()
        boa.env.evm.patch.chain_id = CHAIN_ID
        self.name = name
        self.coin = token or load("tests/mocks/Coin.vy").deploy()
        self.escrow = load("contracts/Escrow.vy").deploy(self.coin, False)
        self.panels = load("contracts/Panels.vy").deploy()
        self.bets = load(f"contracts/{name}.vy").deploy(self.escrow, self.panels)
        self.lens = load("contracts/OddsLens.vy").deploy(self.bets) if self.has_odds else self.bets
        self.escrow.register_product(self.bets)
        self.validators = accounts(5)
        self.panel_id = self.panels.create_panel(self.members, THRESHOLD)
        assert self.panel_id == panel_id_of(self.members, THRESHOLD)
        self.host, self.relayer, *self.players = (Account.from_key(keccak(text=f"person {n}")) for n in range(10))
        for person in (self.host, *self.players):
            self.coin.mint(person.address, RICH)
            self.coin.approve(self.escrow, 2**256 - 1, sender=person.address)
            self.escrow.deposit(PURSE, person.address, 1, sender=person.address)
        self.signer = Signer(name, CHAIN_ID, self.bets.address)
        self.salts = 0

    @property
    def members(self) -> list[str]:
        return [validator.address for validator in self.validators]

    @property
    def has_odds(self) -> bool:
        return self.name == "OddsBets"

    def listing(self, **changes) -> Listing:
        """A bet of two predictions that closes in an hour, under a salt of its own, not listed."""
        self.salts += 1
        now = boa.env.timestamp
        fields = {
            "host": self.host.address,
            "salt": self.salts.to_bytes(32),
            "description": "A wins on B",
            "predictions": ["win", "loss"],
            "profits": [800, 1_100] if self.has_odds else [],
            "min_stake": COIN,
            "max_stake": 1_000 * COIN,
            "closes_at": now + HOUR,
            "result_deadline": now + HOUR + DAY,
            "panel_id": self.panel_id,
            "host_bps": 0 if self.has_odds else 500,
            "validator_bps": 100 if self.has_odds else 500,
        }
        return Listing(**(fields | changes))

    def listed(self, bankroll: int = 10_000 * COIN, **changes) -> Listing:
        """A bet that its host has listed; with odds, also funded."""
        listing = self.listing(**changes)
        assert self.bets.list_bet(listing, NO_SIGNATURE, sender=listing.host) == listing.bet_id
        if self.has_odds and bankroll:
            self.bets.fund(listing.bet_id, bankroll, sender=listing.host)
        return listing

    def place(
        self, listing: Listing, player, prediction: int, amount: int, voucher=NO_SIGNATURE, min_confirmed: int = 0
    ):
        """A bet of a player's own hand."""
        least = (min_confirmed,) if self.has_odds else ()
        return self.bets.place(
            listing.bet_id, prediction, amount, *least, voucher, sender=getattr(player, "address", player)
        )

    def bet(self, player, prediction: int, amount: int, nonce: int = 0, **changes) -> Bet:
        """A bet to sign, good for a minute."""
        bet = Bet(getattr(player, "address", player), prediction, amount, 0, nonce, boa.env.timestamp + 60)
        return bet._replace(**changes)

    def place_signed(self, listing: Listing, player, bet: Bet, voucher=NO_SIGNATURE, relayer=None, sender=None):
        """Signs a bet for a relayer, and lands it."""
        relayer = relayer or self.relayer.address
        signature = self.signer.bet(player, listing.bet_id, bet, relayer)
        return self.bets.place_signed(listing.bet_id, bet, signature, voucher, sender=sender or relayer)

    def place_many(self, listing: Listing, signed: list[tuple], relayer=None) -> int:
        """Lands (player, bet) pairs in one batch; with odds each is a group of its own."""
        relayer = relayer or self.relayer.address
        bets = [bet for _, bet in signed]
        signatures = [self.signer.compact_bet(player, listing.bet_id, bet, relayer) for player, bet in signed]
        return self.land(listing, bets, signatures, relayer)

    def land(self, listing: Listing, bets: list, signatures: list, relayer: str) -> int:
        groups = ([1] * len(bets),) if self.has_odds else ()
        return self.bets.place_many(listing.bet_id, *groups, bets, signatures, sender=relayer)

    def offer(self, listing: Listing, expires_at: int, host=None) -> HostSignature:
        return self.signer.offer(host or self.host, listing.bet_id, expires_at)

    def voucher(self, listing: Listing, player, expires_at: int, host=None) -> HostSignature:
        return self.signer.voucher(host or self.host, listing.bet_id, player.address, expires_at)

    def decide(self, listing: Listing, outcome: int, members: int = THRESHOLD) -> None:
        """So many of the panel report an outcome, as soon as they may."""
        boa.env.timestamp = max(boa.env.timestamp, listing.closes_at)
        question = listing.question(self.bets.address)
        signatures = [
            sign(validator, self.panels.address, CHAIN_ID, self.panel_id, question, outcome)
            for validator in self.validators[:members]
        ]
        self.panels.submit_reports(self.panel_id, [(question, outcome, members)], signatures)

    def settled(self, listing: Listing, outcome: int) -> None:
        """The panel decides, and the bet is settled."""
        self.decide(listing, outcome)
        self.bets.settle(listing.bet_id)

    def expired(self, listing: Listing) -> None:
        """Nobody reports in time, and the bet is settled."""
        boa.env.timestamp = listing.result_deadline + 1
        self.bets.settle(listing.bet_id)

    def balance(self, person) -> int:
        return self.escrow.balance_of(getattr(person, "address", person))

    def pot(self, listing: Listing) -> int:
        return self.escrow.pot_balance(self.bets, listing.bet_id)


@pytest.fixture(scope="module")
def pools(evm):
    """ProrataBets with its people."""
    return House("ProrataBets")


@pytest.fixture(scope="module")
def odds(evm):
    """OddsBets with its people."""
    return House("OddsBets")
