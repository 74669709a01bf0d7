"""A small world of staked tickets on a chain that web3 talks to: for tests of what watches and serves it.

Account 0 owns all and creates events, 1 to 9 are people, 11 to 13 the panel, 14 a keeper of the buyback, 15 nobody.
"""

from collections.abc import Callable
from unittest.mock import patch

from web3 import EthereumTesterProvider, Web3

from tessera.chain import WAD, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.panels import PanelCreated
from tessera.chain.prediction_events import EventCreated
from tessera.deployment.artifacts import ROOT, Artifact, compiled, compiled_file
from tessera.deployment.deploy import deploy
from tessera.local.chain import DAY, HOUR, UNITS, LocalChain
from tessera.model.prizes import period_of, start_of

PARAMETERS = {
    "blocks_per_hour": 1,
    "min_blocks": 24,
    "bet_cap": 10_000_000 * WAD,
    "bet_per_block": WAD,
    "mining": [50, 100_050],
    "delay": 1,
}
LISTED = ROOT / "tests" / "mocks" / "ListedToken.vy"  # a stablecoin that refuses whom it has on a list
PANEL, KEEPER, STRANGER = (11, 12, 13), 14, 15


def _code_of(name: str) -> Artifact:
    return compiled_file(LISTED) if name.startswith("TestToken") else compiled(name.partition(":")[0])


class World:
    """All deployed, markets filled, a prize week begun. A block an hour, where blocks count."""

    def __init__(self, web3: Web3, code_of: Callable[[str], Artifact] = _code_of):
        """`code_of` compiles contracts; as a rule stablecoins refuse whom they have on a list."""
        self.web3 = web3
        self.owner, self.keeper = self.wallet(0), self.wallet(KEEPER)
        with patch("tessera.deployment.deploy.code_of", code_of):
            self.record = deploy(self.owner, "tickets", PARAMETERS)
        self.tessera = Tessera(web3, self.record)
        self.pool, self.events, self.prizes = self.tessera.staking, self.tessera.events, self.tessera.prizes
        self.members = sorted((known_account(index) for index in PANEL), key=lambda one: int(one.address, 16))
        made = self.tessera.panels.create_panel(self.owner, [one.address for one in self.members], 2)
        self.panel_id = made.event(PanelCreated).panel_id
        self.events.approve_panel(self.owner, self.panel_id, True)
        self.events.set_manager(self.owner, self.owner.address, True)
        self.prizes.set_keeper(self.owner, self.keeper.address, True)
        self.local = LocalChain(self.tessera, self.owner)
        self.local.open_markets()
        self.friday()
        self.close()

    def close(self) -> None:
        """Harvests everything and closes the weeks that are over."""
        for asset in UNITS:
            self.pool.harvest(self.owner, self.token(asset))
        self.prizes.close_periods(self.owner, self.prizes.period(), 60)

    def wallet(self, index: int) -> Wallet:
        """One of the accounts that have money on every local chain."""
        return Wallet(self.web3, known_account(index))

    def token(self, asset: str) -> str:
        """Address of "USDC" or "DAI"."""
        return self.local.token(asset).address

    def refuse(self, asset: str, account: str, refused: bool = True) -> None:
        """Nobody can send an account tokens of an asset any more."""
        token = self.web3.eth.contract(address=self.token(asset), abi=compiled_file(LISTED).abi)
        data = token.encode_abi("list_account", [account, refused])
        self.owner.send({"to": token.address, "data": data}, "list_account")

    @property
    def time(self) -> int:
        """Of the block that the next transaction is in, or one before it."""
        return self.web3.eth.get_block("pending" if self._embedded else "latest")["timestamp"]

    def mine(self, blocks: int) -> None:
        """Blocks pass, and next to no time."""
        if self._embedded:
            self.web3.provider.ethereum_tester.mine_blocks(blocks)
        else:
            self._ask("anvil_mine", hex(blocks))

    def wait_until(self, timestamp: int) -> None:
        """The next transaction is at that second or later. Blocks do not pass."""
        if timestamp <= self.time:
            return
        if self._embedded:
            self.web3.provider.ethereum_tester.time_travel(timestamp)
        else:
            self._ask("evm_setNextBlockTimestamp", timestamp)
            self._ask("evm_mine")

    def friday(self, weeks: int = 1) -> None:
        """It is a minute after the next Friday 00:00 UTC, or one some weeks later."""
        self.wait_until(start_of(period_of(self.time) + weeks) + 60)

    def stake(self, person: int, dollars: int, asset: str = "USDC") -> None:
        """Gives a person dollars, to stake them."""
        wallet, token, amount = self.wallet(person), self.local.token(asset), dollars * UNITS[asset]
        self.local.give(wallet.address, asset, amount)
        token.approve(wallet, self.pool.address, amount)
        self.pool.stake(wallet, token.address, amount)

    def earn(self, dollars: int, asset: str = "USDC") -> None:
        """Interest of a vault."""
        self.local.give(self.record.address_of(f"YieldVault:{asset}"), asset, dollars * UNITS[asset])

    def event(self, title: str = "Who wins?", hours: int = 24, weight: int = 100) -> int:
        """A new event of three outcomes."""
        stop = self.web3.eth.block_number + 1 + hours
        done = self.events.create_event(
            self.owner,
            title,
            ["home", "draw", "away"],
            stop_block=stop,
            e0=250,
            weight=weight,
            panel_id=self.panel_id,
            result_deadline=self.time + hours * HOUR + 7 * DAY,
        )
        return done.event(EventCreated).event_id

    def predict(self, person: int, event_id: int, outcome: int = 0) -> None:
        """A person says how an event will end."""
        self.events.predict(self.wallet(person), event_id, outcome)

    def report(self, event_id: int, outcome: int = 0) -> None:
        """Two of three members sign, the owner submits."""
        panels, question = self.tessera.panels, self.events.question(event_id)
        signed = [panels.sign(member, self.panel_id, question, outcome) for member in self.members[:2]]
        panels.submit_reports(self.owner, self.panel_id, question, outcome, signed)

    def finish(self, event_id: int, outcome: int = 0) -> None:
        """The event's end has come and the panel has reported; forfeited predictions cannot be purged any more."""
        info = self.events.event_info(event_id)
        self.wait_until(info.not_before)
        self.mine(max(0, info.stop_block + 24 - self.web3.eth.block_number))
        self.report(event_id, outcome)

    def balance(self, account: str, asset: str = "USDC") -> int:
        """Tokens of an account, in the asset's unit."""
        return self.local.token(asset).balance_of(account)

    @property
    def _embedded(self) -> bool:
        return isinstance(self.web3.provider, EthereumTesterProvider)

    def _ask(self, method: str, *parameters) -> None:
        answer = self.web3.provider.make_request(method, list(parameters))
        assert "error" not in answer, answer
