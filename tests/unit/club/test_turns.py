"""Turns in a market that takes one bet every few seconds."""

import pytest
from web3 import HTTPProvider, Web3

from tessera.chain import Outcome
from tessera.chain.node import prepared
from tests.unit.club.conftest import refusal


@pytest.fixture
def ask(world):
    """`ask(phone, market)`: a turn for a phone, which signs in first."""

    def turn(phone, market_id: int):
        world.client.cookies.clear()
        phone.sign_in()
        return world.client.post("/club/turns", json={"market_id": market_id})

    return turn


def test_each_gets_a_place_and_a_time_and_the_same_when_asking_again(world, market, ask):
    phones = [world.member() for _ in range(3)]
    turns = [ask(phone, market).json() for phone in phones]
    assert [turn["place"] for turn in turns] == [0, 1, 2]
    assert [turn["at"] - turns[0]["at"] for turn in turns] == [0, 6, 12]
    assert turns[0]["seconds"] == 0
    again = ask(phones[1], market).json()
    assert (again["at"], again["place"]) == (turns[1]["at"], 1)


def test_a_turn_begins_five_seconds_after_the_last_bet(world, market, bet, bettor, ask):
    phone = world.member()
    bet(bettor, market, Outcome.YES)
    last = world.tessera.markets.market(market).last_bet_at
    assert ask(phone, market).json()["at"] >= last + 5


def test_a_turn_that_is_given_back_goes_to_the_next_who_asks(world, market, ask):
    first, second, third = world.member(), world.member(), world.member()
    ask(first, market)
    given_back = ask(second, market).json()
    assert world.client.delete(f"/club/turns/{market}").status_code == 204
    turn = ask(third, market).json()
    assert (turn["place"], round(turn["at"])) == (1, round(given_back["at"]))


def test_whose_bet_is_in_has_no_turn_any_more_whatever_becomes_of_the_phone(world, market, ask):
    first, second = world.member(), world.member()
    ask(first, market)
    assert ask(second, market).json()["place"] == 1
    markets = world.tessera.markets
    data = Web3.to_hex(markets.calldata("bet", market, Outcome.YES, 1))
    world.send(first, {"to": markets.address, "data": data}, gas=200_000)
    world.node.index.sync()
    assert ask(second, market).json()["place"] == 0
    again = ask(first, market).json()  # a turn for another bet, which is not in
    assert ask(second, market).json()["place"] == 0
    assert ask(first, market).json()["at"] == again["at"]


def test_a_turn_that_has_passed_is_nobodys(world, market, ask, monkeypatch):
    first, second = world.member(), world.member()
    at = ask(first, market).json()["at"]
    monkeypatch.setattr("tessera.club.play.time.time", lambda: at + 20)
    assert ask(second, market).json()["place"] == 0
    turn = ask(first, market).json()
    assert (turn["place"], turn["at"]) == (1, at + 26)


def test_a_phone_that_is_slow_and_says_so_is_waited_for_but_not_for_ever(world, market, ask, monkeypatch):
    first, second = world.member(), world.member()
    at = ask(first, market).json()["at"]
    then = ask(second, market).json()["at"]
    now = at
    monkeypatch.setattr("tessera.club.play.time.time", lambda: now)
    for now in range(int(at) + 10, int(at) + 120, 10):  # noqa: B007  the clock reads it
        assert ask(first, market).json()["at"] == at
        turn = ask(second, market).json()  # which keeps its own place meanwhile
        assert (turn["at"], turn["place"]) == (then, 1)
    now = at + 120.5
    turn = ask(second, market).json()
    assert (turn["at"], turn["place"], turn["seconds"]) == (then, 0, 0)
    assert ask(first, market).json()["place"] == 1


def test_a_turn_waits_for_a_chains_node_that_is_away_no_longer_than_members_do(world, market, ask):
    # It was asked with the patience of what sends, 20 seconds: twelve pages that ask every second took all threads.
    phone = world.member()
    world.node.sender.reader = prepared(Web3(HTTPProvider("http://127.0.0.1:1")), patience=0)
    assert refusal(ask(phone, market)) == (502, "no_node")


def test_there_is_no_turn_in_a_market_that_is_not_there_or_not_open(world, market, creator, ask):
    phone = world.member()
    assert refusal(ask(phone, 99)) == (404, "no_market")
    world.tessera.markets.close(creator, market)
    assert refusal(ask(phone, market)) == (409, "not_open")
    assert refusal(world.client.post("/club/turns", json={"market_id": -1})) == (422, "bad_request")
    assert refusal(world.client.delete("/club/turns/0")) == (422, "bad_request")


def test_turns_are_for_members(world, market):
    assert refusal(world.client.post("/club/turns", json={"market_id": market})) == (401, "no_session")


def test_one_market_has_so_many_turns_and_no_more(world, market, ask, monkeypatch):
    monkeypatch.setattr("tessera.club.play.MOST_TURNS", 1)
    ask(world.member(), market)
    assert refusal(ask(world.member(), market)) == (429, "too_many_turns")
