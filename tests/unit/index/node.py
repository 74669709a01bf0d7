"""A node whose chain the test writes: blocks of logs, forks, answers it refuses, and a word before each of them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from eth_abi import encode
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from web3 import Web3
from web3.providers import BaseProvider

from tessera.chain.contract import Contract, EventLog, abi_of
from tessera.chain.deployments import Deployed, Deployment
from tessera.chain.node import prepared

CHAIN_ID = 31_337
SECONDS = 12
KINDS = {kind: known.NAME for known in reversed(Contract.KNOWN) for kind in known.EVENTS}
ADDRESSES = {name: Web3.to_checksum_address(f"0x{i:040x}") for i, name in enumerate(sorted(set(KINDS.values())), 0xC0)}


def deployment(first_block: int = 1, **changes) -> Deployment:
    """A record of all contracts that tessera.chain knows."""
    contracts = {
        name: Deployed(address, first_block, [], "0x", "0x", "", "", None) for name, address in ADDRESSES.items()
    }
    return replace(Deployment("test", CHAIN_ID, {}, contracts), **changes)


def inputs(kind: type[EventLog]) -> list[dict]:
    """An event's fields in the ABI."""
    return next(item["inputs"] for item in abi_of(KINDS[kind]) if item.get("name") == kind.__name__)


def log(kind: type[EventLog], /, **fields) -> dict:
    """An event as its contract logs it: address, topics and data. Texts may be bytes that are none."""
    topics, types, values = (
        [event_abi_to_log_topic({"type": "event", "name": kind.__name__, "inputs": inputs(kind)})],
        [],
        [],
    )
    for field in inputs(kind):
        value, abi_type = fields.pop(field["name"]), collapse_if_tuple(field)
        if isinstance(value, bytes):
            abi_type = abi_type.replace("string", "bytes")
        if field["indexed"]:
            topics.append(encode([abi_type], [value]))
        else:
            types.append(abi_type)
            values.append(tuple(value) if isinstance(value, tuple) else value)
    assert not fields
    address = ADDRESSES[KINDS[kind]]
    return {"address": address, "topics": list(map(Web3.to_hex, topics)), "data": Web3.to_hex(encode(types, values))}


def _bloom(logs: tuple[dict, ...]) -> str:
    """The filter of a block's header (Yellow Paper, 4.3.1), of the contracts' addresses alone."""
    bits = 0
    for logged in logs:
        digest = Web3.keccak(hexstr=logged["address"])
        for start in (0, 2, 4):
            bits |= 1 << int.from_bytes(digest[start : start + 2], "big") % 2048
    return f"0x{bits:0512x}"


@dataclass(frozen=True)
class Mined:
    """A block; what it logged, without what its place on the chain adds."""

    hash: str
    timestamp: int
    logs: tuple[dict, ...]


class Node(BaseProvider):
    """Answers what an index asks. Block 0 is there from the start."""

    def __init__(self):
        super().__init__()
        self.blocks: list[Mined] = []
        self.most_blocks = 10**9  # in one answer of logs
        self.tells_times = True  # with the logs of a block
        self.tells_blooms = False  # in headers
        self.leaves_out: set[int] = set()  # blocks whose logs are missing where they are asked for by number
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda method: None
        self._salt = 0
        self.mine([])

    @property
    def web3(self) -> Web3:
        return prepared(Web3(self), patience=0)

    def mine(self, *blocks: list[dict], seconds: int = SECONDS) -> None:
        """Adds a block for each list of logs; never the same twice, whatever it holds."""
        for logs in blocks:
            self._salt += 1
            digest = "0x" + hashlib.sha256(f"block {self._salt}".encode()).hexdigest()
            timestamp = self.blocks[-1].timestamp + seconds if self.blocks else 1_800_000_000
            self.blocks.append(Mined(digest, timestamp, tuple(logs)))

    def drop(self, blocks: int) -> None:
        """Takes the last blocks back, never the first."""
        del self.blocks[max(1, len(self.blocks) - blocks) :]

    def logs(self, first: int = 0, last: int | None = None) -> list[dict]:
        """All logs of some blocks, in full."""
        found = []
        for number, block in enumerate(self.blocks):
            if first <= number <= (len(self.blocks) if last is None else last):
                found += [
                    {
                        **logged,
                        "blockNumber": hex(number),
                        "blockHash": block.hash,
                        "logIndex": hex(index),
                        "transactionIndex": hex(index),
                        "transactionHash": "0x" + hashlib.sha256(f"{block.hash} {index}".encode()).hexdigest(),
                        "removed": False,
                        **({"blockTimestamp": hex(block.timestamp)} if self.tells_times else {}),
                    }
                    for index, logged in enumerate(block.logs)
                ]
        return found

    def make_request(self, method: str, params: Any) -> dict:
        self.asked.append(method)
        self.before(method)
        match method:
            case "eth_chainId":
                return self._answer(hex(CHAIN_ID))
            case "eth_blockNumber":
                return self._answer(hex(len(self.blocks) - 1))
            case "eth_call":  # the block number that a contract sees
                return self._answer(f"0x{int(params[1], 16):064x}")
            case "eth_getBlockByNumber":
                number = int(params[0], 16)
                if number >= len(self.blocks):
                    return self._answer(None)
                block = self.blocks[number]
                bloom = {"logsBloom": _bloom(block.logs)} if self.tells_blooms else {}
                header = {"number": hex(number), "hash": block.hash, "timestamp": hex(block.timestamp)}
                return self._answer(header | bloom)
            case "eth_getLogs" if "blockHash" in params[0]:
                numbers = [i for i, block in enumerate(self.blocks) if block.hash == params[0]["blockHash"]]
                if not numbers:
                    return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "unknown block"}}
                return self._answer(self.logs(numbers[0], numbers[0]))
            case "eth_getLogs":
                first, last = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
                if last - first >= self.most_blocks:
                    return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "block range too large"}}
                wanted = {address.lower() for address in params[0]["address"]}
                found = [log for log in self.logs(first, last) if log["address"].lower() in wanted]
                return self._answer([log for log in found if int(log["blockNumber"], 16) not in self.leaves_out])
        raise AssertionError(method)

    @staticmethod
    def _answer(result: Any) -> dict:
        return {"jsonrpc": "2.0", "id": 1, "result": result}
