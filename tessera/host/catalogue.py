"""Which bet on the chain each bet of the file is, and that none is ever listed twice.

The salt is the hash of a bet's content, and the contract takes a host's salt once: so what a bet became is asked from
the chain, whatever this node remembers. What the clock fills in (when betting ends) is fixed by the first offer that
was signed, and by the listing where there is one.
"""

from dataclasses import dataclass
from functools import cached_property

from tessera.chain.deployments import Tessera
from tessera.chain.hosted_bets import BetListed, HostedBets, HostSignature, Listing, Signer
from tessera.chain.wallet import Signer as Account
from tessera.chain.wallet import Wallet
from tessera.host.bets_file import Bet, FileError
from tessera.host.purse import Product
from tessera.host.store import Store, StoredOffer
from tessera.index.index import Index

OPEN_SECONDS = 24 * 3_600  # that a bet is open where the file does not say when it ends
VOTING_SECONDS = 7 * 24 * 3_600  # that a panel has for its result
MAX_TERM = 365 * 86_400  # of a listing, as in the contracts
NOT_LISTED, REVOKED = b"\x00" * 32, b"\xff" * 32


@dataclass(frozen=True)
class Offered:
    """A bet of the file with its whole content, which the host has signed."""

    bet: Bet
    contract: HostedBets
    listing: Listing
    offer: HostSignature
    signer: Signer
    product: Product
    members: tuple[str, ...]  # of its panel

    @cached_property  # a hash of the whole listing, asked for with each frame to each client
    def bet_id(self) -> bytes:
        return self.listing.bet_id

    def excludes(self, account: str) -> bool:
        """Whether an account answers for the bet, so that it cannot take part."""
        return account == self.listing.host or account in self.members

    def admits(self, account: str | None) -> bool:
        """Whether a bet is open to an account; None: somebody who has not signed in."""
        return self.bet.admitted is None or account in self.bet.admitted


def contract_of(tessera: Tessera, has_odds: bool) -> HostedBets:
    """Where bets of a type are."""
    return tessera.odds if has_odds else tessera.prorata


class Catalogue:
    """The bets that a host offers."""

    def __init__(self, tessera: Tessera, index: Index, store: Store, account: Account):
        self.tessera, self.index, self.store, self.account = tessera, index, store, account
        self.offered: list[Offered] = []
        products = tessera.escrow.read_all("products")
        self._products = {
            contract.address: Product(contract.NAME, products.index(contract.address))
            for contract in (tessera.prorata, tessera.odds)
        }

    def open(self, bets: list[Bet], now: int) -> list[tuple[HostedBets, bytes]]:
        """Finds or makes the offer of each bet; what to `take_back`: offers that the file has no more.

        `now` is unix seconds. Raises FileError, before anything is signed, where a bet was changed after it was listed
        or its panel cannot serve it.
        """
        stored = self.store.offers()
        listed = {bet.number: self._listed(bet) for bet in bets}
        salts = {(self._contract(bet).address, bet.salt) for bet in bets}
        gone = {key: row for key, row in stored.items() if key not in salts}
        faults = [fault for bet in bets for fault in self._faults(bet, listed[bet.number], gone, now)]
        if faults:
            raise FileError(faults)
        self.offered = [self._offered(bet, listed[bet.number], stored, now) for bet in bets]
        return [
            (self.at(contract), salt)
            for (contract, salt), listing in gone.items()
            if self.at(contract).bet_of(self.account.address, salt) != listing.listing.bet_id
        ]

    def take_back(self, wallet: Wallet, contract: HostedBets, salt: bytes) -> None:
        """Burns the salt of an offer that the file has no more, so that nobody can list it."""
        if contract.bet_of(wallet.address, salt) == NOT_LISTED:
            contract.revoke(wallet, salt)
        self.store.drop_offer(contract.address, salt)

    def list_bet(self, wallet: Wallet, offered: Offered) -> None:
        """Lists a bet on the chain unless it is, and backs it with what its bankroll lacks."""
        bet = offered.bet
        if not self.is_listed(offered):
            offered.contract.list_bet(wallet, offered.listing)
        if bet.bankroll:
            lacking = bet.bankroll - self.tessera.odds_lens.book(offered.bet_id).bankroll
            if lacking > 0:
                self.tessera.odds.fund(wallet, offered.bet_id, lacking)

    def is_listed(self, offered: Offered) -> bool:
        """Whether a bet is on the chain, or was taken back."""
        return offered.contract.bet_of(self.account.address, offered.bet.salt) != NOT_LISTED

    def vouchers(self, account: str) -> dict[bytes, HostSignature]:
        """The host's leave for an account in each private bet that admits it, until betting ends, by the bet's id.

        Bets that the host lands need none; who places by an own transaction does.
        """
        return {
            offered.bet_id: offered.signer.voucher(self.account, offered.bet_id, account, offered.listing.closes_at)
            for offered in self.offered
            if offered.bet.admitted is not None and offered.admits(account)
        }

    def at(self, address: str) -> HostedBets:
        """The contract of hosted bets at an address."""
        return contract_of(self.tessera, address == self.tessera.odds.address)

    def _contract(self, bet: Bet) -> HostedBets:
        return contract_of(self.tessera, bet.has_odds)

    def _listed(self, bet: Bet) -> Listing | None:
        """What the bet became on the chain. Raises FileError where its salt is burned."""
        bet_id = self._contract(bet).bet_of(self.account.address, bet.salt)
        if bet_id == REVOKED:
            raise FileError([f"[bets:{bet.number}] was taken back once and for all: describe it in other words"])
        if bet_id == NOT_LISTED:
            return None
        self.index.sync()
        with self.index.snapshot() as snapshot:
            return next(snapshot.rows(BetListed, bet_id=bet_id)).listing

    def _faults(self, bet: Bet, listed: Listing | None, gone: dict, now: int) -> list[str]:
        if listed is not None:
            return []
        name = f"[bets:{bet.number}]"
        for (address, salt), row in gone.items():
            if row.number == bet.number and self.at(address).bet_of(self.account.address, salt) == row.listing.bet_id:
                return [
                    f"{name} was changed after it was listed as 0x{row.listing.bet_id.hex()}: what people bet on never "
                    "changes; take the change back, or give the new bet a number of its own"
                ]
        members = self.tessera.panels.members_of(bet.panel_id)
        if not members:
            return [f"{name} panel: there is no panel {bet.panel_id}; `ape run validator create` makes one"]
        if self.account.address in members:
            return [f"{name} panel: the host {self.account.address} is on it, and nobody judges bets of their own"]
        if bet.closes_at is not None and bet.closes_at > now + MAX_TERM:
            return [f"{name} time_lapse: betting ends at most {MAX_TERM // 86_400} days from now"]
        return []

    def _offered(self, bet: Bet, listed: Listing | None, stored: dict, now: int) -> Offered:
        contract = self._contract(bet)
        known = stored.get((contract.address, bet.salt))
        if listed is not None and (known is None or known.listing != listed):
            known = self._signed(bet, contract, listed)
        elif known is None:
            known = self._signed(bet, contract, self._listing(bet, now))
        elif known.number != bet.number:
            known = known._replace(number=bet.number)
            self.store.keep_offer(contract.address, known)
        members = tuple(self.tessera.panels.members_of(bet.panel_id))
        product = self._products[contract.address]
        return Offered(bet, contract, known.listing, known.offer, contract.signer(), product, members)

    def _signed(self, bet: Bet, contract: HostedBets, listing: Listing) -> StoredOffer:
        offer = contract.signer().offer(self.account, listing.bet_id, listing.closes_at)
        signed = StoredOffer(bet.number, listing, offer)
        self.store.keep_offer(contract.address, signed)
        return signed

    def _listing(self, bet: Bet, now: int) -> Listing:
        closes_at = now + OPEN_SECONDS if bet.closes_at is None else bet.closes_at
        return Listing(
            host=self.account.address,
            salt=bet.salt,
            description=bet.description,
            predictions=bet.predictions,
            profits=bet.odds,
            min_stake=bet.min_stake,
            max_stake=bet.max_stake,
            closes_at=closes_at,
            result_deadline=closes_at + VOTING_SECONDS,
            panel_id=bet.panel_id,
            host_bps=bet.host_bps,
            validator_bps=bet.validator_bps,
            is_private=bet.admitted is not None,
        )
