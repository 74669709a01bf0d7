"""The scenario of friends' markets: every external function of Escrow, PlayEuro and LmsrMarkets once or more."""

from eth_account import Account

from benchmarks.chains import Chain, permit

DAY = 86_400
EUR = 10**6
YES, NO, INVALID = 1, 2, 4
BET_DEBIT, PAYOUT = 1 << 3, 1 << 6  # Escrow's kinds
NOBODY = "0x" + "00" * 20
# 400 bytes of text.
TERMS = ("q" * 100, "y" * 75, "n" * 75, "r" * 100, "s" * 50)
P0 = 6 * 10**17
MIN_SHARES = 1_012_345_678_901_234_567
BATCH = 16

# Keys of benchmarks/gas.json: the published names of the actions that peers have too.
TITLE = "friends' markets"
PUBLISHED = {
    "market_create": "LmsrMarkets.create_market",
    "market_bet_first": "LmsrMarkets.bet (first of a person)",
    "market_bet": "LmsrMarkets.bet (steady)",
    "market_claim": "LmsrMarkets.claim",
    "market_claim_batched": "LmsrMarkets.claim_many (a person of 16)",
}


def run(chain: Chain) -> None:
    """Measure everything into `chain.gas`."""
    play_euro = chain.deploy("PlayEuro")
    escrow = chain.deploy("Escrow", play_euro.address, True)
    markets = chain.deploy("LmsrMarkets", escrow.address, True, 43_200)
    people = chain.accounts
    chain.send(play_euro, "set_escrow", escrow.address)
    chain.send(escrow, "register_product", markets.address)
    chain.send(play_euro, "invite", people, case="20 people")
    chain.send(play_euro, "set_inviter", people[1], True)
    chain.send(play_euro, "invite", [escrow.address], measure=False)
    chain.send(play_euro, "uninvite", [escrow.address], by=1)
    for person in people:
        chain.send(play_euro, "join", 1, by=person)
    _escrow_functions(chain, play_euro, escrow)

    def create(referee: str = NOBODY, by: int = 1, case: str = "", measure: bool = True) -> int:
        due = chain.now + DAY
        chain.send(markets, "create_market", TERMS, P0, due, 0, 0, referee, 43_200, by=by, case=case, measure=measure)
        return markets.functions.market_count().call()

    def bet(market: int, by: int, side: int, case: str = "", measure: bool = True) -> None:
        chain.wait(6)
        chain.send(markets, "bet", market, side, MIN_SHARES, by=by, case=case, measure=measure)

    create(measure=False)  # the very first market ever also opens the counter
    market = create()
    bet(market, 18, YES, measure=False)
    bet(market, 19, NO, measure=False)
    bet(market, 2, YES, "first of a person")
    for winner in range(3, 3 + BATCH):
        bet(market, winner, YES, measure=False)
    bet(market, 2, YES, "steady")
    chain.send(markets, "close", market, by=1)
    chain.wait(DAY)
    chain.send(markets, "propose", market, YES, by=1)
    chain.wait(43_200)
    chain.send(markets, "finalize", market, case="undisputed")
    batch = [people[n] for n in range(3, 3 + BATCH)]
    total = chain.send(markets, "claim_many", market, batch, case="16 people")
    chain.gas["LmsrMarkets.claim_many (a person of 16)"] = total // BATCH
    chain.send(markets, "claim", market, by=2)

    voted, ruled, silent = (
        create(measure=False),
        create(referee=people[17], case="with a referee"),
        create(measure=False),
    )
    cancelled, late = (create(referee=people[17], by=5, measure=False) for _ in range(2))
    chain.send(markets, "accept_referee", ruled, by=17)
    chain.send(markets, "cancel", cancelled, by=5)
    for number in (voted, ruled):
        bet(number, 3, YES, measure=False)
    bet(voted, 4, NO, measure=False)
    bet(ruled, 3, YES, "steady, with a referee")
    chain.wait(DAY)
    chain.send(markets, "expire", late, case="not accepted")
    for number, case in ((voted, "opens a vote"), (ruled, "where a referee rules")):
        chain.send(markets, "propose", number, INVALID, by=1, measure=False)
        chain.send(markets, "propose", number, NO, by=1, case="instead", measure=number == voted)
        chain.send(markets, "complain", number, YES, "The goal counted.", by=3, case=case)
    chain.send(markets, "vote", voted, YES, by=4)
    chain.send(markets, "vote", voted, NO, by=4, case="changed")
    chain.send(markets, "rule", ruled, YES, by=17)
    chain.wait(DAY)
    chain.send(markets, "finalize", voted, case="voted")
    chain.wait(7 * DAY)
    chain.send(markets, "expire", silent, case="no proposal")


def _escrow_functions(chain: Chain, play_euro, escrow) -> None:
    """Escrow by a person's own hand, and what products call, through one that only passes it on."""
    me = chain.accounts[0]
    product = chain.deploy("tests/mocks/Product")
    chain.send(escrow, "register_product", product.address, measure=False)
    chain.send(escrow, "set_consent", 3)
    chain.send(escrow, "withdraw", 10 * EUR, me)
    chain.send(play_euro, "approve", escrow.address, EUR)
    chain.send(escrow, "deposit", EUR, me, 0)
    pots = [number.to_bytes(32, "big") for number in (1, 2)]
    for function, args in {
        "collect": (me, pots[0], 5 * EUR, BET_DEBIT),
        "move": (pots[0], pots[1], EUR),
        "pay": (pots[0], me, EUR, PAYOUT),
        "pay_many": (pots[0], chain.accounts[:2], [EUR, EUR], PAYOUT),
    }.items():
        call = escrow.encode_abi(function, args)
        gas = chain.send(product, "execute", escrow.address, call, measure=False)
        chain.gas[f"Escrow.{function} (through a bare product)"] = gas

    signer = Account.from_key("0x" + "11" * 32)
    coin = chain.deploy("TestToken", "Coin", "COIN", 6)
    vault = chain.deploy("Escrow", coin.address, False)
    chain.send(coin, "mint", signer.address, 10 * EUR, measure=False)
    deadline = chain.now + DAY
    signature = permit(chain, coin, signer, vault.address, EUR, deadline)
    chain.send(vault, "deposit_with_permit", signer.address, EUR, deadline, *signature, 0)
