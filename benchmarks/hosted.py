"""The scenario of hosted bets: ProrataBets and OddsBets over an ordinary Escrow, with a panel of three of five."""

from eth_account import Account

from benchmarks.chains import Chain
from tessera.chain.embedded import MNEMONIC
from tessera.chain.hosted_bets import NO_SIGNATURE, Bet, Listing, Signer
from tests.panels import accounts, sign

DAY, HOUR = 86_400, 3_600
COIN = 10**6
SALT = b"salt".ljust(32, b"\0")
RELAYER = 19
BATCH = 16
RELAYED = 20

Account.enable_unaudited_hdwallet_features()

TITLE = "hosted bets"
PUBLISHED = {
    "pool_bet_first": "ProrataBets.place (new position)",
    "pool_bet": "ProrataBets.place (again)",
    "pool_claim": "ProrataBets.claim",
    "pool_claim_batched": "ProrataBets.claim_many (an account of 16)",
    "pool_bet_relayed": "ProrataBets.place_many (a new position of 20)",
    "pool_bet_relayed_again": "ProrataBets.place_many (again, a bet of 20)",
    "odds_ticket": "OddsBets.place (a ticket)",
    "odds_confirm_per_ticket": "OddsBets.confirm (a ticket of 10)",
    "odds_pair_20": "OddsBets.place_many (a pair of 18)",
    "odds_maker_of_20": "OddsBets.place_many (a maker of 19)",
}


class Table:
    """Escrow, Panels and a product: `people` have deposited and consented, `keys` are theirs; `host` is one more."""

    def __init__(self, chain: Chain):
        self.chain = chain
        self.people = chain.accounts[:RELAYED]
        # eth-tester derives the accounts of a mnemonic one level higher than nodes do.
        paths = [f"m/44'/60'/0'/{place}" for n in range(RELAYED) for place in (n, f"0/{n}")]
        known = [Account.from_mnemonic(MNEMONIC, account_path=path) for path in paths]
        self.keys = [next(key for key in known if key.address == person) for person in self.people]
        self.coin = chain.deploy("TestToken", "Coin", "COIN", 6)
        self.escrow = chain.deploy("Escrow", self.coin.address, False)
        self.panels = chain.deploy("Panels")
        self.validators = accounts(5)
        members = [member.address for member in self.validators]
        chain.send(self.panels, "create_panel", members, 3, measure=False)
        self.panel_id = int.from_bytes(
            chain.web3.solidity_keccak(["bytes"], [chain.web3.codec.encode(["address[]", "uint256"], [members, 3])])
        )
        self.salts = 0
        self.nonces = [0] * RELAYED

    def deploy(self, name: str):
        """A product, registered, that everybody consented to, with much of everybody's money to bet."""
        product = self.chain.deploy(name, self.escrow.address, self.panels.address)
        self.chain.send(self.escrow, "register_product", product.address, measure=False)
        consent = 1 << self.escrow.functions.consent_of(self.people[0]).call().bit_length()
        for person in self.people:
            self.chain.send(self.coin, "mint", person, 10**6 * COIN, measure=False)
            self.chain.send(self.coin, "approve", self.escrow.address, 2**256 - 1, by=person, measure=False)
            self.chain.send(self.escrow, "deposit", 10**6 * COIN, person, consent, by=person, measure=False)
        return product

    def listing(self, host: str, **changes) -> Listing:
        """A bet of two predictions that closes in an hour, under a salt of its own."""
        self.salts += 1
        fields = {
            "host": host,
            "salt": self.salts.to_bytes(32, "big"),
            "description": "Home wins on Away",
            "predictions": ["win", "loss"],
            "profits": [],
            "min_stake": COIN,
            "max_stake": 10_000 * COIN,
            "closes_at": self.chain.now + HOUR,
            "result_deadline": self.chain.now + HOUR + DAY,
            "panel_id": self.panel_id,
            "host_bps": 500,
            "validator_bps": 500,
        }
        return Listing(**(fields | changes))

    def signed(self, product, bet_id: bytes, bets: list[tuple[int, int, int]]) -> tuple[list[Bet], list]:
        """Bets (person, prediction, amount) with their signatures, for the relayer."""
        signer = Signer(product.tessera_name, self.chain.web3.eth.chain_id, product.address)
        made = []
        for person, prediction, amount in bets:
            self.nonces[person] += 1
            made.append(Bet(self.people[person], prediction, amount, 0, self.nonces[person], self.chain.now + 60))
        signatures = [
            signer.compact_bet(self.keys[person], bet_id, bet, self.people[RELAYER])
            for (person, *_), bet in zip(bets, made, strict=True)
        ]
        return made, signatures

    def decide(self, listing: Listing, product, outcome: int) -> None:
        """The panel says what happened, when it may."""
        self.chain.wait_until(listing.closes_at)
        question = listing.question(product.address)
        chain_id = self.chain.web3.eth.chain_id
        signatures = [
            sign(member, self.panels.address, chain_id, self.panel_id, question, outcome)
            for member in self.validators[:3]
        ]
        self.chain.send(
            self.panels, "submit_reports", self.panel_id, [(question, outcome, 3)], signatures, measure=False
        )


def run(chain: Chain) -> None:
    """Measure everything into `chain.gas`."""
    table = Table(chain)
    _prorata(chain, table)
    _odds(chain, table)


def _prorata(chain: Chain, table: Table) -> None:
    pools = table.deploy("ProrataBets")
    name = "ProrataBets"
    host = chain.accounts[0]
    listing = table.listing(host)
    bet_id = listing.bet_id
    signer = Signer(name, chain.web3.eth.chain_id, pools.address)
    chain.send(pools, "list_bet", listing, NO_SIGNATURE)
    chain.send(pools, "place", bet_id, 0, 10 * COIN, NO_SIGNATURE, by=1, measure=False)
    chain.send(pools, "place", bet_id, 1, 10 * COIN, NO_SIGNATURE, by=1, measure=False)
    chain.send(pools, "place", bet_id, 0, 10 * COIN, NO_SIGNATURE, by=2, case="new position")
    chain.send(pools, "place", bet_id, 0, 11 * COIN, NO_SIGNATURE, by=2, case="again")
    for person in range(3, 3 + BATCH):
        chain.send(pools, "place", bet_id, 0, (10 + person) * COIN, NO_SIGNATURE, by=person, measure=False)
    table.decide(listing, pools, 0)
    chain.send(pools, "settle", bet_id)
    batch = list(table.people[3 : 3 + BATCH])
    total = chain.send(pools, "claim_many", bet_id, batch, case="16 accounts")
    chain.gas[f"{name}.claim_many (an account of 16)"] = total // BATCH
    chain.send(pools, "claim", bet_id, table.people[2], by=2)
    chain.send(pools, "claim", bet_id, table.people[1], by=1, case="the last, with the residue")

    # Everybody has bet with the relayer before, and in the bet: what is measured is neither the first ever.
    offerer = Account.from_key("0x" + "0f" * 32)
    relayed = table.listing(offerer.address, predictions=["win", "draw", "loss"])
    bet_id = relayed.bet_id
    chain.send(pools, "list_bet", relayed, signer.offer(offerer, bet_id, chain.now + DAY), case="offered")
    people = [0, *range(2, RELAYED), 1]
    for case, prediction, name in (
        ("20 accounts that are new to the relayer", 1, ""),
        ("20 new positions", 0, "a new position of 20"),
        ("20, again", 0, "again, a bet of 20"),
    ):
        # The twentieth bet is one of the bettors' on another prediction: person 1 has opened this one.
        bets = [(person, prediction if person != 1 else 2, (10 + person) * COIN) for person in people]
        signed = table.signed(pools, bet_id, bets)
        total = chain.send(pools, "place_many", bet_id, *signed, by=RELAYER, case=case)
        if name:
            chain.gas[f"ProrataBets.place_many ({name})"] = total // RELAYED
        if prediction == 1:
            opening = table.signed(pools, bet_id, [(1, 0, COIN)])
            chain.send(pools, "place_many", bet_id, *opening, by=RELAYER, measure=False)
    ((bet,), _) = table.signed(pools, bet_id, [(3, 0, 10 * COIN)])
    signature = signer.bet(table.keys[3], bet_id, bet, table.people[RELAYER])
    chain.send(pools, "place_signed", bet_id, bet, signature, NO_SIGNATURE, by=RELAYER)

    offered = table.listing(host, is_private=True)
    offer = signer.offer(table.keys[0], offered.bet_id, chain.now + DAY)
    voucher = signer.voucher(table.keys[0], offered.bet_id, table.people[2], chain.now + DAY)
    chain.send(pools, "list_and_place", offered, offer, 0, COIN, voucher, by=2)
    chain.send(pools, "admit", offered.bet_id, list(table.people[3:7]), case="4 accounts")
    chain.send(pools, "close", offered.bet_id)
    chain.send(pools, "revoke", SALT)
    chain.send(pools, "burn", table.people[RELAYER], 0, by=3)


def _odds(chain: Chain, table: Table) -> None:
    bets = table.deploy("OddsBets")
    name = "OddsBets"
    host = chain.accounts[0]

    def listed(bankroll: int, case: str = "", **changes) -> Listing:
        listing = table.listing(host, profits=[800, 1_100], host_bps=0, validator_bps=0, **changes)
        chain.send(bets, "list_bet", listing, NO_SIGNATURE, case=case)
        if bankroll:
            chain.send(bets, "fund", listing.bet_id, bankroll, case=case)
        return listing

    listing = listed(10_000 * COIN)
    bet_id = listing.bet_id
    for person, prediction in ((1, 0), (1, 1)):
        chain.send(bets, "place", bet_id, prediction, 10 * COIN, 0, NO_SIGNATURE, by=person, measure=False)
    chain.send(bets, "place", bet_id, 0, 10 * COIN, 0, NO_SIGNATURE, by=2, case="confirmed, new position")
    chain.send(bets, "place", bet_id, 0, 10 * COIN, 0, NO_SIGNATURE, by=2, case="confirmed, again")
    table.decide(listing, bets, 0)
    chain.send(bets, "settle", bet_id)
    chain.send(bets, "claim", bet_id, table.people[2], [0], [], by=2, case="a position")

    waiting = listed(0, "without bankroll")
    bet_id = waiting.bet_id
    for person in (1, 3):
        chain.send(bets, "place", bet_id, 0, 10 * COIN, 0, NO_SIGNATURE, by=person, measure=False)
    for person in range(4, 15):
        chain.send(bets, "place", bet_id, 0, 10 * COIN, 0, NO_SIGNATURE, by=person, case="a ticket")
    chain.send(bets, "fund", bet_id, 10_000 * COIN, measure=False)
    chain.send(bets, "confirm", bet_id, [10 * COIN, 0], measure=False)
    total = chain.send(bets, "confirm", bet_id, [110 * COIN, 0], case="10 tickets")
    chain.gas[f"{name}.confirm (a ticket of 10)"] = total // 10
    chain.send(bets, "cancel", bet_id, 12, by=13)
    signer = Signer(name, chain.web3.eth.chain_id, bets.address)
    chain.send(bets, "cancel_signed", bet_id, 13, signer.cancel(table.keys[14], bet_id, 13), by=3)
    chain.send(bets, "defund", bet_id, 1_000 * COIN)
    chain.send(bets, "place", bet_id, 0, 9_999 * COIN, 0, NO_SIGNATURE, by=3, case="in both parts", measure=False)

    # Everybody has bet with the relayer before, and in the bet there are stakes on both predictions.
    offerer = Account.from_key("0x" + "0f" * 32)
    fields = {"profits": [800, 1_100], "host_bps": 0, "validator_bps": 0}

    def offered(pairs: list[tuple[int, int, int]]) -> bytes:
        listing = table.listing(offerer.address, **fields)
        offer = signer.offer(offerer, listing.bet_id, chain.now + DAY)
        chain.send(bets, "list_bet", listing, offer, case="offered")
        land(listing.bet_id, pairs, [len(pairs)])
        return listing.bet_id

    def land(bet_id: bytes, pairs: list[tuple[int, int, int]], sizes: list[int], case: str = "") -> int:
        signed = table.signed(bets, bet_id, pairs)
        return chain.send(bets, "place_many", bet_id, sizes, *signed, by=RELAYER, case=case, measure=bool(case))

    offered([(n, n % 2, (10 - n % 2) * COIN) for n in range(RELAYED)])
    opening = [(0, 0, 10 * COIN), (0, 1, 9 * COIN)]
    pairs = [bet for n in range(RELAYED) for bet in ((n, 0, 10 * COIN), ((n + 1) % RELAYED, 1, 9 * COIN))]
    # Person 0 has opened the bet: the pairs of the others have new positions alone.
    total = land(offered(opening), pairs[2:-2], [2] * (RELAYED - 2), "18 pairs, everybody on both sides")
    chain.gas[f"{name}.place_many (a pair of 18)"] = total // (RELAYED - 2)
    makers = [(n, 0, 10 * COIN) for n in range(1, RELAYED)]
    taker = [(1, 1, 9 * COIN * len(makers))]
    total = land(offered(opening), makers + taker, [RELAYED], "19 makers, a taker")
    chain.gas[f"{name}.place_many (a maker of 19)"] = total // len(makers)
    ((bet,), _) = table.signed(bets, waiting.bet_id, [(5, 0, 10 * COIN)])
    signature = signer.bet(table.keys[5], waiting.bet_id, bet, table.people[RELAYER])
    chain.send(bets, "place_signed", waiting.bet_id, bet, signature, NO_SIGNATURE, by=RELAYER)

    private = listed(0, "private", is_private=True)
    chain.send(bets, "admit", private.bet_id, list(table.people[3:7]), case="4 accounts")
    chain.send(bets, "close", private.bet_id)
    chain.send(bets, "revoke", SALT)
    chain.send(bets, "burn", table.people[RELAYER], 0, by=3)
