"""What is deployed together: products of steps, each of which tells from the chain whether it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tessera.chain.contract import ZERO_ADDRESS

# What is asked of Uniswap V2.
ROUTER_ABI = (
    {"type": "function", "name": "factory", "stateMutability": "view", "inputs": [], "outputs": [{"type": "address"}]},
)
SEED_TOKENS = 10
# What is asked of a stablecoin.
TOKEN_ABI = (
    {
        "type": "function",
        "name": "decimals",
        "stateMutability": "view",
        "inputs": [],
        "outputs": [{"type": "uint8"}],
    },
    {
        "type": "function",
        "name": "allowance",
        "stateMutability": "view",
        "inputs": [{"name": "owner", "type": "address"}, {"name": "spender", "type": "address"}],
        "outputs": [{"type": "uint256"}],
    },
    {
        "type": "function",
        "name": "approve",
        "stateMutability": "nonpayable",
        "inputs": [{"name": "spender", "type": "address"}, {"name": "amount", "type": "uint256"}],
        "outputs": [],
    },
)
FACTORY_ABI = tuple(
    {
        "type": "function",
        "name": name,
        "stateMutability": mutability,
        "inputs": [{"name": "tokenA", "type": "address"}, {"name": "tokenB", "type": "address"}],
        "outputs": [{"name": "pair", "type": "address"}],
    }
    for name, mutability in (("getPair", "view"), ("createPair", "nonpayable"))
)


@dataclass(frozen=True)
class At:
    """The address of a contract of the same deployment."""

    name: str


@dataclass(frozen=True)
class OwnerOf:
    """Who should own a contract: its deployer, unless `differences` is told otherwise."""

    name: str

    def __str__(self) -> str:
        return f"the owner of {self.name}"


@dataclass(frozen=True)
class Later:
    """The address of what the same account deploys so many transactions after this step, for contracts that know each
    other. A transaction of that account in between breaks it: `differences` then tells by the contracts' views."""

    transactions: int


@dataclass(frozen=True)
class Deployer:
    """Whoever deploys this step."""


@dataclass(frozen=True)
class Foreign:
    """A contract that was there before: its address, and the ABI of what is asked of it."""

    name: str
    address: str
    abi: tuple

    def __str__(self) -> str:
        return f"{self.name} {self.address}"


@dataclass(frozen=True)
class View:
    """What a view of a contract that was there before answers."""

    contract: Foreign
    view: str
    arguments: tuple

    def __str__(self) -> str:
        return f"{self.contract.name}.{self.view}({_words(self.arguments)})"


@dataclass(frozen=True)
class Tokens:
    """So many whole tokens, in the token's smallest unit."""

    token: str | Foreign
    count: int

    def __str__(self) -> str:
        return f"{self.count} tokens"


class _AnAddress:
    """Equal to every address but the zero address."""

    def __eq__(self, other) -> bool:
        return other != ZERO_ADDRESS

    def __hash__(self) -> int:
        return 0

    def __str__(self) -> str:
        return "an address"


AN_ADDRESS = _AnAddress()


@dataclass(frozen=True)
class Shows:
    """What a view of a contract returns when all is as it should be."""

    contract: str | Foreign
    view: str
    arguments: tuple
    value: Any

    def __str__(self) -> str:
        return f"{self.contract}.{self.view}({_words(self.arguments)})"


@dataclass(frozen=True)
class Create:
    """Deploy a contract; `shows` are its constructor arguments as its views tell them.

    A second contract of the same code is named after a colon: "YieldVault:DAI" is a YieldVault.
    """

    name: str
    arguments: tuple = ()
    shows: tuple[Shows, ...] = ()

    def __str__(self) -> str:
        return f"create {self.name}({_words(self.arguments)})"


@dataclass(frozen=True)
class Call:
    """Call a contract once; it is done when `shows` holds.

    `later` holds when others have done their part: from then on the step is done too, and before it the deployment is
    not as it should be. `asset` is what it lists or seeds: once the owner has retired that, the step is over for good.
    `like` is the name of what stands in for it where it is rehearsed.
    """

    contract: str | Foreign
    function: str
    arguments: tuple
    shows: Shows
    later: tuple[Shows, ...] = ()
    asset: At | str | None = None
    like: str = ""

    def __str__(self) -> str:
        return f"call {self.contract}.{self.function}({_words(self.arguments)})"


Step = Create | Call


def friends_markets(*, shortest_window: int) -> list[Step]:
    """PlayEuro, Escrow and LmsrMarkets (product 0), wired. `shortest_window` of a dispute in seconds."""
    return [
        Create("PlayEuro", shows=owned("PlayEuro")),
        Create(
            "Escrow",
            (At("PlayEuro"), True),
            (Shows("Escrow", "TOKEN", (), At("PlayEuro")), Shows("Escrow", "OWN_ONLY", (), True), *owned("Escrow")),
        ),
        Call("PlayEuro", "set_escrow", (At("Escrow"),), Shows("PlayEuro", "escrow", (), At("Escrow"))),
        Create(
            "LmsrMarkets",
            (At("Escrow"), True, shortest_window),
            (
                Shows("LmsrMarkets", "ESCROW", (), At("Escrow")),
                Shows("LmsrMarkets", "FRIENDS", (), True),
                Shows("LmsrMarkets", "SHORTEST_WINDOW", (), shortest_window),
            ),
        ),
        # The index is the bit of consent: products keep their order.
        Call("Escrow", "register_product", (At("LmsrMarkets"),), Shows("Escrow", "products", (0,), At("LmsrMarkets"))),
    ]


def micro_bets(*, short_window: int, long_window: int, first_index: int = 1) -> list[Step]:
    """Panels and MicroSessions on the Escrow of `friends`, as its product of that index. Windows in seconds."""
    windows = (("SHORT_WINDOW", short_window), ("LONG_WINDOW", long_window))
    at = At("MicroSessions")
    return [
        Create("Panels"),
        Create(
            "MicroSessions",
            (At("Escrow"), At("Panels"), short_window, long_window),
            (
                Shows("MicroSessions", "ESCROW", (), At("Escrow")),
                Shows("MicroSessions", "PANELS", (), At("Panels")),
                *(Shows("MicroSessions", view, (), seconds) for view, seconds in windows),
            ),
        ),
        Call("Escrow", "register_product", (at,), Shows("Escrow", "products", (first_index,), at)),
    ]


def hosted_bets(*, first_index: int) -> list[Step]:
    """Panels, ProrataBets, OddsBets and OddsLens on the Escrow of `friends`, as its products of that index and the
    next."""
    steps: list[Step] = [Create("Panels")]
    for index, name in enumerate(("ProrataBets", "OddsBets"), first_index):
        wired = (Shows(name, "ESCROW", (), At("Escrow")), Shows(name, "PANELS", (), At("Panels")))
        steps += [
            Create(name, (At("Escrow"), At("Panels")), wired),
            Call("Escrow", "register_product", (At(name),), Shows("Escrow", "products", (index,), At(name))),
        ]
    lens = Create("OddsLens", (At("OddsBets"),), (Shows("OddsLens", "BETS", (), At("OddsBets")),))
    return [*steps, lens]


def staked_tickets(
    *,
    blocks_per_hour: int,
    min_blocks: int,
    bet_cap: int,
    bet_per_block: int,
    mining: Sequence[int],
    delay: int,
    proposers: Sequence[str] = (),
    outside: dict[str, Any] | None = None,
) -> list[Step]:
    """Panels, BET, treasury, StakingPool, PredictionEvents and PrizePool.

    `mining` is the first block in which BET is mined and the first in which it is not any more, `delay` the treasury's
    in seconds. `proposers` schedule what the treasury does, anybody executes it, and the contracts are handed over to
    it; where there are none, the deployer does both and keeps the contracts. `outside` is what was there before:
    "prize_token", "router", "factory" (Uniswap V2's) and "assets", each a "token", its "vault" and "feed". None: two
    stablecoins and all they need from `contracts/devnet`, for local chains.
    """
    bet, timelock = At("BetToken"), At("Timelock")
    pool, events, prizes = map(At, ("StakingPool", "PredictionEvents", "PrizePool"))
    before, market, prize_token, router, pair, assets = _stand_ins() if outside is None else _outside(outside)
    owner = timelock if proposers else None
    return [
        *before,
        Create(
            "Timelock",
            (delay, list(proposers) or [Deployer()], [ZERO_ADDRESS] if proposers else [Deployer()]),
            (Shows("Timelock", "get_minimum_delay", (), delay),),
        ),
        Create("BetToken", (bet_cap, bet_per_block * (mining[1] - mining[0]), timelock)),
        *market,
        Create("Panels"),
        Create(
            "StakingPool",
            (Later(1), Later(2), prize_token, bet, router, bet_per_block, *mining),
            (
                Shows("StakingPool", "EVENTS", (), events),
                Shows("StakingPool", "PRIZES", (), prizes),
                *(() if owner else owned("StakingPool")),
            ),
        ),
        Create(
            "PredictionEvents",
            (pool, Later(1), At("Panels"), prize_token, blocks_per_hour, min_blocks),
            (
                Shows("PredictionEvents", "PRIZES", (), prizes),
                *(() if owner else owned("PredictionEvents")),
            ),
        ),
        Create(
            "PrizePool",
            (prize_token, bet, events, pool, pair, router, timelock),
            (
                Shows("PrizePool", "EVENTS", (), events),
                Shows("PrizePool", "STAKING", (), pool),
                Shows("PrizePool", "TREASURY", (), timelock),
                *(() if owner else owned("PrizePool")),
            ),
        ),
        Call("BetToken", "set_minter", (pool,), Shows("BetToken", "minter", (), pool)),
        *[
            # Whatever the vault: an asset that the owner retired can be added again with another one.
            Call(
                "StakingPool",
                "add_asset",
                (token, vault, feed),
                Shows("StakingPool", "vault_of", (token,), AN_ADDRESS),
                asset=token,
            )
            for token, vault, feed in assets
        ],
        *[
            Call(
                name,
                "transfer_ownership",
                (owner,),
                Shows(name, "pending_owner", (), owner),
                later=owned(name, owner),
            )
            for name in (("StakingPool", "PredictionEvents", "PrizePool") if owner else ())
        ],
        # Last, so that a deployer who has no stablecoins yet can come back with some.
        *[step for token, _, _ in assets for step in _seed(token)],
    ]


def _seed(token: At | str) -> list[Step]:
    """Tokens of the deployer prove that an asset's vault pays; half of them stay in it."""
    contract = token.name if isinstance(token, At) else Foreign("ERC-20", token, TOKEN_ABI)
    deployer, amount = OwnerOf("StakingPool"), Tokens(contract, SEED_TOKENS)
    seeded = Shows("StakingPool", "is_seeded", (token,), True)
    steps: list[Step] = [
        Call(
            contract,
            "approve",
            (At("StakingPool"), amount),
            Shows(contract, "allowance", (deployer, At("StakingPool")), amount),
            later=(seeded,),
            asset=token,
            like="TestToken:USDC.approve",
        ),
        Call("StakingPool", "seed_asset", (token, amount), seeded, asset=token),
    ]
    if isinstance(token, At):
        funded = Shows(contract, "balanceOf", (deployer,), amount)
        steps.insert(0, Call(contract, "mint", (deployer, amount), funded, later=(seeded,), asset=token))
    return steps


def _stand_ins():
    names = ("USDC", "DAI")
    usdc, dai, bet = At("TestToken:USDC"), At("TestToken:DAI"), At("BetToken")
    before: list[Step] = [
        Create("TestToken:USDC", ("USD Coin", "USDC", 6)),
        Create("TestToken:DAI", ("Dai", "DAI", 18)),
        *[Create(f"YieldVault:{name}", (At(f"TestToken:{name}"),)) for name in names],
        *[Create(f"PriceFeed:{name}", (8, f"{name} / USD", 10**8)) for name in names],
        Create("Router"),
    ]
    market: list[Step] = [
        Create("Pair:DAI", (usdc, dai)),
        Create("Pair:BET", (usdc, bet)),
        *[
            Call("Router", "add_pair", (At(pair),), Shows("Router", "getPair", (usdc, token), At(pair)))
            for pair, token in (("Pair:DAI", dai), ("Pair:BET", bet))
        ],
    ]
    assets = [(At(f"TestToken:{name}"), At(f"YieldVault:{name}"), At(f"PriceFeed:{name}")) for name in names]
    return before, market, usdc, At("Router"), At("Pair:BET"), assets


def _outside(outside: dict[str, Any]):
    prize_token, router = outside["prize_token"], outside["router"]
    factory = Foreign("UniswapV2Factory", outside["factory"], FACTORY_ABI)
    tokens = (prize_token, At("BetToken"))
    market: list[Step] = [
        Call(factory, "createPair", tokens, Shows(factory, "getPair", tokens, AN_ADDRESS), like="Pair:BET")
    ]
    assets = [(asset["token"], asset["vault"], asset["feed"]) for asset in outside["assets"]]
    return [], market, prize_token, router, View(factory, "getPair", tokens), assets


PRODUCTS: dict[str, Callable[..., list[Step]]] = {
    "friends": friends_markets,
    "tickets": staked_tickets,
    "micro": micro_bets,
    "hosted": hosted_bets,
}
ON_ESCROW = {"micro", "hosted"}  # products on the Escrow of `friends`
COUNTS_BLOCKS = {"tickets"}  # products whose contracts store block numbers


def owned(name: str, owner: At | None = None) -> tuple[Shows, Shows]:
    """What a contract with a two-step owner shows: the owner, who deployed it if not said, and nobody about to be."""
    return Shows(name, "owner", (), owner or OwnerOf(name)), Shows(name, "pending_owner", (), ZERO_ADDRESS)


def _words(values: Sequence[Any]) -> str:
    return ", ".join(value.name if isinstance(value, At) else str(value) for value in values)
