"""Logs as rows: complete, each once, resumable."""

import dataclasses
import random
from collections.abc import Mapping
from itertools import islice

import pytest
from eth_abi import encode
from eth_utils.abi import function_abi_to_4byte_selector
from web3 import Web3

from tessera.chain import WAD, ChainError, LogReader, NodeError, Outcome
from tessera.chain.blocks import Block
from tessera.chain.contract import (
    Contract,
    EventLog,
    OwnershipTransferred,
    abi_of,
    decode_logs,
    fields_of,
    typed,
)
from tessera.chain.escrow import Entry, Escrow
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated
from tessera.chain.logs import Piece, ReorgError
from tests.embedded_club import TERMS
from tests.unit.index.conftest import ALL_KINDS, chance_log
from tests.unit.index.node import ADDRESSES, KINDS, Node


@pytest.mark.parametrize("contract", Contract.KNOWN, ids=lambda contract: contract.NAME)
def test_every_event_of_the_abi_has_a_row_with_its_fields(contract):
    in_abi = {
        item["name"]: [field["name"] for field in item["inputs"]]
        for item in abi_of(contract.NAME)
        if item["type"] == "event"
    }
    own = len(dataclasses.fields(EventLog))
    rows = {row.__name__: [field.name for field in dataclasses.fields(row)][own:] for row in contract.EVENTS}
    assert rows == in_abi


@pytest.mark.parametrize("blocks_at_once", [1, 3, 2_000])
def test_pieces_of_any_size_give_the_same_rows(tessera, bettor, market, bet, blocks_at_once):
    bet(bettor, market, Outcome.YES)
    reader = LogReader(tessera.web3, list(tessera.deployment.addresses.values()), 1, blocks_at_once=blocks_at_once)
    rows = list(reader.read())
    assert rows == list(tessera.log_reader().read())
    assert [(row.block, row.log_index) for row in rows] == sorted((row.block, row.log_index) for row in rows)
    assert reader.next_block == tessera.web3.eth.block_number + 1


def test_no_request_asks_for_more_blocks_than_allowed(tessera, market, monkeypatch):
    asked, get_logs = [], tessera.web3.eth.get_logs

    def listen(wanted):
        asked.append((wanted["fromBlock"], wanted["toBlock"]))
        return get_logs(wanted)

    monkeypatch.setattr(tessera.web3.eth, "get_logs", listen)
    last = tessera.web3.eth.block_number
    list(LogReader(tessera.web3, [tessera.markets.address], last - 6, blocks_at_once=3).read())
    assert asked == [(last - 6, last - 4), (last - 3, last - 1), (last, last)]


def test_a_reader_goes_on_where_it_stopped(tessera, bettor, market, bet):
    reader = tessera.log_reader()
    first = list(reader.read())
    assert list(reader.read()) == []
    bet(bettor, market, Outcome.YES)
    second = list(tessera.log_reader(reader.next_block).read())
    assert [type(row) for row in second] == [BetPlaced, Entry]
    assert first + second == list(tessera.log_reader().read())


def test_a_reader_that_is_stopped_half_way_misses_nothing(tessera, market):
    whole = list(tessera.log_reader().read())
    reader = LogReader(tessera.web3, list(tessera.deployment.addresses.values()), 1, blocks_at_once=4)
    first_rows = list(islice(reader.read(), len(whole) - 3))
    again = list(reader.read())
    assert set(map(_place, first_rows)) | set(map(_place, again)) == set(map(_place, whole))
    assert again == whole[-len(again) :]


def _place(row: EventLog) -> tuple[int, int]:
    return row.block, row.log_index


def test_reading_up_to_a_block(tessera, bettor, market, bet):
    done = bet(bettor, market, Outcome.YES)
    reader = tessera.log_reader(done.block)
    assert list(reader.read(done.block - 1)) == []
    assert tuple(reader.read(done.block)) == done.events


def test_only_the_named_contracts_are_read(tessera, bettor, market, bet):
    bet(bettor, market, Outcome.YES)
    rows = list(LogReader(tessera.web3, [tessera.escrow.address], 1).read())
    assert {row.contract for row in rows} == {tessera.escrow.address}
    assert {type(row) for row in rows} <= set(Escrow.EVENTS)


def test_terms_are_logged_whole(tessera, market):
    (created,) = (row for row in tessera.log_reader().read() if isinstance(row, MarketCreated))
    assert created.terms == TERMS
    assert created.as_mapping()["event"] == "MarketCreated"
    assert created.as_mapping()["market_id"] == market


def test_a_text_that_is_no_text_does_not_stop_readers(tessera, creator):
    function = next(item for item in abi_of("LmsrMarkets") if item.get("name") == "create_market")
    now = tessera.web3.eth.get_block("latest")["timestamp"]
    texts = (b"Rain\xff\x00?", *(text.encode() for text in TERMS[1:]))
    values = (texts, WAD // 2, now + 3_600, 0, 0, "0x" + "00" * 20, 60)
    types = ["(bytes,bytes,bytes,bytes,bytes)", *["uint256"] * 4, "address", "uint256"]
    data = function_abi_to_4byte_selector(function) + encode(types, values)
    creator.send({"to": tessera.markets.address, "data": Web3.to_hex(data)}, "create_market")
    (created,) = (row for row in tessera.log_reader().read() if isinstance(row, MarketCreated))
    assert created.terms == TERMS._replace(question="Rain\ufffd\x00?")


def test_rows_are_what_web3_makes_of_the_logs():
    """Ten of each event with fields by chance: nothing is read otherwise for being read fast."""
    rng, node, reader = random.Random(1), Node(), Web3()
    node.mine(*([chance_log(rng, kind) for _ in range(10)] for kind in ALL_KINDS))
    logs = node.web3.eth.get_logs({"fromBlock": 0, "toBlock": len(node.blocks), "address": [*ADDRESSES.values()]})
    rows = list(decode_logs(logs))
    assert len(rows) == len(logs) == 10 * len(ALL_KINDS)
    for log, row in zip(logs, rows, strict=True):
        expected = reader.eth.contract(abi=abi_of(KINDS[type(row)])).events[type(row).__name__]().process_log(log)
        assert (row.contract, row.block, row.log_index) == (
            expected["address"],
            expected["blockNumber"],
            expected["logIndex"],
        )
        assert row.transaction == Web3.to_hex(expected["transactionHash"])
        for field, kind in fields_of(type(row)).items():
            mine = getattr(row, field)
            assert mine == typed(kind, _plain(expected["args"][field]))
            assert isinstance(mine, kind)


def test_an_event_of_the_same_name_with_other_fields_indexed_is_left_out():
    """As a token or vault of others may log it in a transaction of ours."""
    whole = chance_log(random.Random(1), OwnershipTransferred)
    logged = {
        "address": whole["address"],
        "topics": [bytes.fromhex(topic[2:]) for topic in whole["topics"][:1]],
        "data": b"".join(bytes.fromhex(topic[2:]) for topic in whole["topics"][1:]),
        "blockNumber": 1,
        "logIndex": 0,
        "transactionHash": b"1" * 32,
    }
    assert list(decode_logs([logged])) == []


def _plain(value):
    """web3's mappings inside a struct's lists are tuples here."""
    if not isinstance(value, Mapping):
        return value
    lists = {
        name: tuple(tuple(item.values()) if isinstance(item, Mapping) else item for item in part)
        for name, part in value.items()
        if isinstance(part, list)
    }
    return {**value, **lists}


@pytest.fixture
def reader(tessera) -> LogReader:
    return tessera.log_reader()


def test_what_was_taken_back_is_read_again_and_no_more(reader, monkeypatch):
    """Pieces that end in blocks 10, 20 and 30 were handed out; what the chain has of the last ones is another."""
    ends = [Block(number, "0x", 0) for number in (10, 20, 30)]
    for kept, resumes in ((2, 21), (1, 11), (0, 10)):
        reader._ends, reader.next_block = list(ends), 31
        monkeypatch.setattr(reader._pieces, "on_chain", lambda block, kept=kept: block is None or block in ends[:kept])
        with pytest.raises(ReorgError) as raised:
            list(reader.read(40))
        assert (raised.value.block, reader.next_block, reader._ends) == (resumes, resumes, ends[:kept])


def test_a_chain_that_always_changes_while_it_is_read_is_said(reader, monkeypatch):
    monkeypatch.setattr(reader._pieces, "read", lambda *_: None)
    with pytest.raises(ChainError, match=r"the chain changed \d+ times while it was read"):
        list(reader.read(40))


def test_a_node_that_refuses_is_asked_for_half_and_soon_for_more_again(reader, monkeypatch):
    pieces, asked = reader._pieces, []

    def read(_, first, last, **__):
        asked.append((first, last))
        if last - first >= 5:
            raise NodeError("too many blocks", "eth_getLogs")
        return Piece([], [], Block(last, "0x", 0))

    monkeypatch.setattr(pieces, "_read", read)
    monkeypatch.setattr(pieces, "on_chain", lambda _: True)
    pieces._size = pieces.blocks_at_once = 16
    reader.next_block = 1
    assert list(reader.read(1_000)) == []
    assert asked[:6] == [(1, 16), (1, 8), (1, 4), (5, 12), (5, 8), (9, 16)]


def test_a_node_that_is_gone_is_not_asked_for_less(reader, monkeypatch):
    asked = []

    def read(_, first, last, **__):
        asked.append((first, last))
        raise NodeError("gone", "eth_getLogs", connected=False)

    monkeypatch.setattr(reader._pieces, "_read", read)
    reader.next_block = 1
    with pytest.raises(NodeError, match="gone"):
        list(reader.read(1_000))
    assert len(asked) == 1
