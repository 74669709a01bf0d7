"""The LMSR arithmetic in a fast EVM: `lmsr_evm` runs thousands of states in one call."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import pyrevm
import pytest
from eth_utils import function_signature_to_4byte_selector
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle

from tessera.deployment.artifacts import SEARCH

SENDER = "0x" + "11" * 20
ADDRESS = "0x" + "22" * 20
MANY = 1000  # the harness' bound on the list of one call


class LmsrEvm:
    """`contracts/modules/lmsr.vy` and snekmate's exp and ln as compiled.

    Amounts are WAD integers, lists may be of any length. Raises RuntimeError where the code reverts.
    """

    def __init__(self, runtime: bytes):
        self._evm = pyrevm.EVM(gas_limit=2**62)
        self._evm.insert_account_info(ADDRESS, pyrevm.AccountInfo(code=runtime))

    def openings(self, p0s: Sequence[int], seed: int) -> list[tuple[int, int]]:
        """The (b, head start) of each p0."""
        pairs = []
        for part in _parts([(p0,) for p0 in p0s]):
            pairs += _pairs(self._call("openings(uint256[],uint256)", [64, seed], part))
        return pairs

    def buys(self, states: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
        """The (shares, price after) of each (b, gap, stake)."""
        return _pairs(self._map("buys((uint256,int256,uint256)[])", states))

    def prices(self, states: Sequence[tuple[int, int]]) -> list[int]:
        """The price at each (b, gap)."""
        return self._map("prices((uint256,int256)[])", states)

    def replay(self, b: int, gap: int, bets: Sequence[tuple[bool, int]]) -> list[tuple[int, int]]:
        """The (shares, price after) of each (is it on the other side, stake) in a row; `gap` is the first side's."""
        bought = []
        for part in _parts(bets):
            pairs = _pairs(self._call("replay(uint256,int256,(bool,uint256)[])", [b, gap, 96], part))
            gap += sum(s if other else -s for (other, _), (s, _) in zip(part, pairs, strict=True))
            bought += pairs
        return bought

    def exps(self, xs: Sequence[int]) -> list[int]:
        """The wad_exp of each."""
        return self._map("exps(int256[])", [(x,) for x in xs])

    def lns(self, xs: Sequence[int]) -> list[int]:
        """The wad_ln of each."""
        return [w - 2**256 if w >> 255 else w for w in self._map("lns(int256[])", [(x,) for x in xs])]

    def _map(self, signature: str, rows: Sequence[tuple[int, ...]]) -> list[int]:
        return [word for part in _parts(rows) for word in self._call(signature, [32], part)]

    def _call(self, signature: str, head: Sequence[int], rows: Sequence[tuple[int, ...]]) -> list[int]:
        data = _words(chain(head, [len(rows)], *rows))
        answer = self._evm.message_call(
            SENDER, ADDRESS, function_signature_to_4byte_selector(signature) + data, is_static=True
        )
        return [int.from_bytes(answer[i : i + 32]) for i in range(64, len(answer), 32)]


def _parts(rows: Sequence[tuple[int, ...]]) -> Iterator[Sequence[tuple[int, ...]]]:
    return (rows[i : i + MANY] for i in range(0, len(rows), MANY))


def _pairs(words: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(words[::2], words[1::2], strict=True))


def _words(values: Iterable[int]) -> bytes:
    return b"".join((v % 2**256).to_bytes(32) for v in values)


@pytest.fixture(scope="session")
def lmsr_evm() -> LmsrEvm:
    sources = FilesystemInputBundle([*map(Path, SEARCH)])
    harness = sources.load_file(Path(__file__).with_name("lmsr_harness.vy"))
    compiled = compile_from_file_input(harness, input_bundle=sources, output_formats=["bytecode_runtime"])
    return LmsrEvm(bytes.fromhex(compiled["bytecode_runtime"][2:]))
