"""What gas costs now, and what it may cost: a node's advice is checked against what others pay."""

from dataclasses import dataclass
from statistics import median

from web3 import Web3

from tessera.chain.errors import ChainError, NodeRefusedError

GWEI = 10**9
BLOCKS = 20  # that show what others pay
# Advice up to here is taken as it is: a chain without traffic shows nothing to compare it with.
CALM_TIP, CALM_PRICE = 2 * GWEI, 5 * GWEI
TIP_MARGIN = 2  # times the usual tip
DEAR = 3  # times the usual base fee


@dataclass(frozen=True)
class GasPrice:
    """Wei for a unit of gas: the base fee, the tip, and the most that both together may be."""

    base: int
    tip: int
    ceiling: int

    @property
    def total(self) -> int:
        """Base fee and tip."""
        return self.base + self.tip

    @property
    def offered(self) -> int:
        """What a transaction offers at most: it is still mined where the base fee has doubled meanwhile."""
        return 2 * self.base + self.tip


def gas_price(web3: Web3, ceiling: int | None = None) -> GasPrice:
    """The price of gas now, in wei.

    The tip is the node's advice, but at most twice the median of what the last 20 blocks paid, or 2 gwei. Without a
    `ceiling` it is three times the median base fee of these blocks and that tip, or 5 gwei: what is not urgent waits
    for a spike to pass. Raises ChainError where the chain has no base fee, or an error of the node's.
    """
    base = web3.eth.get_block("latest").get("baseFeePerGas")
    if base is None:
        raise ChainError(f"chain {web3.eth.chain_id} has no base fee (EIP-1559): Tessera's transactions need one")
    bases, tips = _history(web3)
    most_tip = max(CALM_TIP, int(TIP_MARGIN * median(tips or [0])))
    usual = max(CALM_PRICE, int(DEAR * median(bases or [base])) + most_tip)
    return GasPrice(base, min(web3.eth.max_priority_fee, most_tip), usual if ceiling is None else ceiling)


def _history(web3: Web3) -> tuple[list[int], list[int]]:
    """Base fees of the last blocks, and the median tip of each that had transactions; none where a node has no such
    method."""
    try:
        history = web3.eth.fee_history(BLOCKS, "latest", [50])
    except NodeRefusedError:
        return [], []
    used = zip(history.get("reward") or [], history["gasUsedRatio"], strict=False)
    return list(history["baseFeePerGas"][:-1]), [rewards[0] for rewards, ratio in used if ratio]
