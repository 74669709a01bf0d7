"""One definition of what is signed: contract, model and eth-account agree on every digest."""

from dataclasses import replace

import pytest
from eth_account._utils.encode_typed_data.encoding_and_hashing import hash_domain, hash_eip712_message
from eth_utils import keccak

from tessera.model.sessions.questions import Kind, pattern
from tessera.model.sessions.typed import Book, Choice, Close, Post, Question, Quote, Receipt, Refusal, State


def by_eth_account(domain, value, **more):
    data = domain.typed_data(value, **more)
    types = {name: fields for name, fields in data["types"].items() if name != "EIP712Domain"}
    return keccak(b"\x19\x01" + hash_domain(data["domain"]) + hash_eip712_message(types, data["message"]))


@pytest.fixture
def question(house):
    return house.question()


@pytest.fixture
def state(house, question):
    bets = [house.bet(question, choice=i % 2, stake=1 + i, number=i) for i in range(3)]
    return State(7, 5, -123, True, tuple(bets))


def test_an_offer(house, offer):
    digest = house.domain.digest(offer)
    assert digest == by_eth_account(house.domain, offer) == house.micro.hash_offer(offer.words)


@pytest.mark.parametrize("bets", [0, 1, 3])
def test_a_state(house, state, bets):
    session = keccak(b"a session")
    state = State(state.seq, state.prev, state.net, state.activated, state.open_bets[:bets])
    digest = house.domain.digest(state, session=session)
    assert digest == by_eth_account(house.domain, state, session=session)
    assert digest == house.micro.hash_state(session, state.fields)


def test_a_question(house):
    choices = tuple(Choice(pattern(one), pattern(one)) for one in (b"LL", b"LR", b"RR"))
    for question in [
        house.question(),
        house.question("ääh? \N{SOCCER BALL}", kind=Kind.PATTERN, symbols=2, choices=choices),
    ]:
        fields = [getattr(question, name) for name in Question.__dataclass_fields__]
        fields[-1] = [(one.low, one.high) for one in question.choices]
        digest = house.domain.digest(question)
        assert digest == by_eth_account(house.domain, question) == house.micro.hash_question(tuple(fields))


def test_a_quote(house, question):
    quote = Quote(house.stream_id, house.domain.digest(question), (1_800, 2_100, 9_999), 10**9, 4, 17)
    fields = tuple(getattr(quote, name) for name in Quote.__dataclass_fields__)
    assert house.domain.digest(quote) == by_eth_account(house.domain, quote) == house.micro.hash_quote(fields)


@pytest.mark.parametrize(
    "value",
    [
        Receipt(keccak(b"s"), 3, 9, 2, keccak(b"h")),
        Close(-5, True, 1_800_000_000),
        Post(keccak(b"s"), 1_800_000_000),
        Book(keccak(b"q"), 3, keccak(b"r"), 12, keccak(b"h")),
        Refusal(keccak(b"s"), 3, 4, 1_800_000_000_000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_contract_only_checks(house, value):
    more = {"session": keccak(b"a session")} if isinstance(value, Close | Post) else {}
    assert house.domain.digest(value, **more) == by_eth_account(house.domain, value, **more)


def test_numbers_that_have_no_room_in_an_offer_are_refused(house, offer):
    for name, bits in [("deposit", 96), ("stream_id", 64), ("valid_until", 64), ("salt", 128)]:
        with pytest.raises(ValueError, match="bits"):
            replace(offer, **{name: 2**bits})
        replace(offer, **{name: 2**bits - 1})
