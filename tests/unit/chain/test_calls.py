"""Calls through wallets: what is sent, what comes back, and how a refusal is told."""

import pytest
from web3 import Web3

from tessera.chain import EUR, WAD, ChainError, Outcome, Reverted, Terms
from tessera.chain.contract import Contract
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import BetPlaced, MarketClosed, Status


def test_a_call_returns_its_events_as_rows(tessera, bettor, market):
    quote = tessera.markets.quote(market, Outcome.YES)
    done = tessera.markets.bet(bettor, market, Outcome.YES, min_shares=quote.shares)

    receipt = tessera.web3.eth.get_transaction_receipt(done.transaction)
    placed, entry = done.events
    assert (done.block, done.gas_used) == (receipt["blockNumber"], receipt["gasUsed"])
    assert done.event(BetPlaced) is placed
    assert placed == BetPlaced(
        contract=tessera.markets.address,
        block=done.block,
        log_index=0,
        transaction=done.transaction,
        market_id=market,
        account=bettor.address,
        side=Outcome.YES,
        shares=quote.shares,
        stake=EUR,
        price_after=quote.price_after,
        effective_odds=quote.odds,
        timestamp=tessera.web3.eth.get_block(done.block)["timestamp"],
    )
    assert isinstance(entry, Entry)
    assert (entry.account, entry.kind, entry.amount, entry.balance_after) == (
        bettor.address,
        Kind.BET_DEBIT,
        EUR,
        49 * EUR,
    )
    assert entry.pot == market.to_bytes(32, "big")


def test_the_wants_exactly_one_row(tessera, bettor, creator, market):
    done = tessera.markets.close(creator, market)
    assert done.event(MarketClosed).market_id == market
    with pytest.raises(ChainError, match="0 events BetPlaced"):
        done.event(BetPlaced)


def test_a_refused_call_is_not_sent(tessera, creator, market):
    nonce = tessera.web3.eth.get_transaction_count(creator.address)
    block = tessera.web3.eth.block_number
    with pytest.raises(Reverted) as refused:
        tessera.markets.bet(creator, market, Outcome.YES, min_shares=1)

    assert refused.value.reason == str(refused.value) == "lmsr: creator cannot bet"
    assert refused.value.advice == "Who decides the outcome cannot bet on it."
    assert refused.value.function == "LmsrMarkets.bet"
    assert refused.value.transaction is None
    assert tessera.web3.eth.get_transaction_count(creator.address) == nonce
    assert tessera.web3.eth.block_number == block


def test_a_refusal_is_seen_at_the_time_of_the_next_block(tessera, bettor, other_bettor, market, travel):
    tessera.markets.bet(bettor, market, Outcome.YES, min_shares=1)
    with pytest.raises(Reverted, match="lmsr: a bet every 5 seconds"):
        tessera.markets.bet(other_bettor, market, Outcome.YES, min_shares=1)
    travel(5)  # so far away is the next block, while the last one is four seconds after the bet
    tessera.markets.bet(other_bettor, market, Outcome.YES, min_shares=1)


def test_a_view_tells_its_reason_too(tessera):
    with pytest.raises(Reverted, match="lmsr: unknown market") as refused:
        tessera.markets.quote(7, Outcome.YES)
    assert refused.value.advice == ""


def test_a_reason_of_the_called_contract_comes_through(tessera, stranger, market):
    with pytest.raises(Reverted, match="escrow: balance too low") as refused:
        tessera.markets.bet(stranger, market, Outcome.NO, min_shares=1)
    assert refused.value.advice.startswith("Deposit more first.")


def test_what_the_abi_decoder_refuses_has_no_reason(tessera, creator):
    long = Terms("q" * 257, "yes", "no", "rules", "source")
    now = tessera.web3.eth.get_block("latest")["timestamp"]
    with pytest.raises(Reverted) as refused:
        tessera.markets.create_market(creator, long, p0=WAD // 2, expected_result_at=now + 99, dispute_window=60)
    assert refused.value.reason == ""
    assert str(refused.value) == "LmsrMarkets.create_market reverted without a reason"


def test_who_comes_too_late_learns_why(tessera, bettor, other_bettor, market, travel):
    """The price moved between simulation and block: the transaction fails on chain, with its reason."""
    shares = tessera.markets.quote(market, Outcome.YES).shares
    call = {"to": tessera.markets.address, "data": _bet_data(tessera.markets, market, shares)}
    signed = bettor.signed(call, "LmsrMarkets.bet")
    tessera.markets.bet(other_bettor, market, Outcome.YES, min_shares=1)
    travel(5)
    sent = tessera.web3.eth.send_raw_transaction(signed.raw_transaction)
    with pytest.raises(Reverted) as refused:
        bettor.wait(sent, "LmsrMarkets.bet")
    assert refused.value.reason == "lmsr: price moved"
    assert refused.value.transaction == Web3.to_hex(signed.hash)
    assert tessera.escrow.balance_of(bettor.address) == 50 * EUR


def _bet_data(markets: Contract, market: int, min_shares: int) -> str:
    return markets._contract.encode_abi("bet", [market, int(Outcome.YES), min_shares])


def test_transactions_pay_by_eip_1559_and_no_more_than_twice_the_base_fee(tessera, owner):
    base_fee = tessera.web3.eth.get_block("latest")["baseFeePerGas"]
    done = tessera.play_euro.invite(owner, [owner.address])
    sent = tessera.web3.eth.get_transaction(done.transaction)
    assert sent["type"] == 2
    assert sent["chainId"] == 1337
    assert sent["maxFeePerGas"] == 2 * base_fee + sent["maxPriorityFeePerGas"]


def test_a_market_is_read_whole(tessera, creator, bettor, market, bet):
    bet(bettor, market, Outcome.NO)
    shown = tessera.markets.market(market)
    assert (shown.creator, shown.status, shown.outcome, shown.bets) == (creator.address, Status.OPEN, None, 1)
    assert tessera.markets.tally(market).heads == {Outcome.YES: 0, Outcome.NO: 0, Outcome.INVALID: 0}
    assert tessera.markets.max_loss(market) == 10 * EUR
    shares = tessera.markets.position(market, bettor.address).shares[Outcome.NO]
    owed = shares * EUR // WAD
    assert tessera.markets.exposure(market) == {Outcome.YES: EUR, Outcome.NO: EUR - owed, Outcome.INVALID: 0}
    assert (shown.owed_if_yes, shown.owed_if_no) == (0, owed)


def test_the_life_of_a_disputed_market(tessera, creator, bettor, other_bettor, market, bet, travel):
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.NO)
    travel(3600)
    tessera.markets.propose(creator, market, Outcome.NO)
    tessera.markets.complain(bettor, market, Outcome.YES, "It rained.")
    tally = tessera.markets.tally(market)
    assert (tally.heads[Outcome.YES], tally.conclusion) == (1, Outcome.INVALID)
    tessera.markets.vote(other_bettor, market, Outcome.YES)
    assert tessera.markets.vote_of(market, other_bettor.address) is Outcome.YES
    travel(24 * 3600)
    tessera.markets.finalize(bettor, market)
    shown = tessera.markets.market(market)
    assert (shown.status, shown.outcome) == (Status.INVALID, Outcome.INVALID)  # it takes more than two of three
    done = tessera.markets.claim_many(creator, market, [creator.address, bettor.address])
    assert [type(row).__name__ for row in done.events] == ["ClaimSkipped", "Entry"]
    assert done.events[0].reason == "lmsr: nothing to claim"
    assert done.events[1].kind is Kind.REFUND


def test_a_referee_rules(tessera, creator, bettor, stranger, bet, travel):
    now = tessera.web3.eth.get_block("latest")["timestamp"]
    terms = Terms("q", "yes", "no", "rules", "source")
    tessera.markets.create_market(
        creator, terms, p0=WAD // 2, expected_result_at=now + 99, dispute_window=60, referee=stranger.address
    )
    tessera.markets.accept_referee(stranger, 1)
    bet(bettor, 1, Outcome.YES)
    travel(99)
    tessera.markets.propose(creator, 1, Outcome.NO)
    tessera.markets.complain(bettor, 1, Outcome.YES, "It did happen.")
    tessera.markets.rule(stranger, 1, Outcome.YES)
    assert tessera.markets.market(1).outcome is Outcome.YES


def test_a_silent_creator_s_market_expires(tessera, bettor, market, bet, travel):
    bet(bettor, market, Outcome.YES)
    travel(3600 + 7 * 86400)
    tessera.markets.expire(bettor, market)
    tessera.markets.claim(bettor, market)
    assert tessera.markets.market(market).status is Status.INVALID
    assert tessera.escrow.balance_of(bettor.address) == 50 * EUR


def test_consent_can_be_withdrawn(tessera, bettor, market):
    assert tessera.escrow.consent_of(bettor.address) == 1
    tessera.escrow.set_consent(bettor, 0)
    with pytest.raises(Reverted, match="escrow: no consent"):
        tessera.markets.bet(bettor, market, Outcome.YES, min_shares=1)


def test_owner_calls(tessera, owner, bettor, stranger):
    with pytest.raises(Reverted, match="playeuro: not an inviter"):
        tessera.play_euro.invite(stranger, [stranger.address])
    assert not tessera.play_euro.invited(stranger.address)
    assert not tessera.play_euro.is_inviter(bettor.address)
    tessera.play_euro.set_inviter(owner, bettor.address, True)
    assert tessera.play_euro.is_inviter(bettor.address)
    tessera.play_euro.invite(bettor, [stranger.address])
    tessera.play_euro.uninvite(owner, [stranger.address])
    assert not tessera.play_euro.invited(stranger.address)
    tessera.play_euro.invite(owner, [stranger.address])
    assert tessera.play_euro.invited(stranger.address)
    assert not tessera.play_euro.joined(stranger.address)
    with pytest.raises(Reverted, match="escrow: already registered"):
        tessera.escrow.register_product(owner, tessera.markets.address)
    assert tessera.play_euro.escrow() == tessera.escrow.address
    assert tessera.escrow.products(0) == tessera.markets.address
