"""All that a club's node is made of, opened by its settings."""

import time
from dataclasses import dataclass, field

from web3 import Web3

from tessera.chain.accounts import from_key_file, secret_of
from tessera.chain.blocks import Block
from tessera.chain.deployments import LOCAL_CHAINS, Deployment, Tessera, history_of
from tessera.chain.errors import ChainError
from tessera.chain.lmsr_markets import LmsrMarkets, Market
from tessera.chain.node import connect
from tessera.chain.wallet import Signer, Wallet
from tessera.club.messages import Messenger, notifier
from tessera.club.news import NAMES, News, Watch
from tessera.club.sender import Sender
from tessera.club.settings import Settings
from tessera.club.store import Store
from tessera.index.api import Leaders
from tessera.index.index import Index
from tessera.index.syncer import Syncer

PATIENCE = 2.0  # seconds that a member waits for the chain's node
FRESH_SECONDS = 5  # that a market is taken for what it was, where the index does not follow the chain
SECONDS_PER_PRICE = 45  # for a transaction to be mined: somebody waits with the phone in the hand


@dataclass
class Node:
    """One node of a club."""

    settings: Settings
    tessera: Tessera
    index: Index
    store: Store
    sender: Sender
    news: News
    syncer: Syncer
    leaders: Leaders
    messenger: Messenger | None = None
    _markets: tuple[tuple[Block, float] | None, dict[int, Market]] = field(default=(None, {}), init=False)

    @classmethod
    def of(cls, settings: Settings, tessera: Tessera, account: Signer, reader: Web3) -> "Node":
        """Opens databases and makes all parts; nothing runs yet. `reader` asks for members. Raises ChainError."""
        index = Index(settings.index, tessera.web3, tessera.deployment)
        store = Store(settings.database)
        store.claim(history_of(tessera.web3, tessera.deployment))
        wallet = Wallet(
            tessera.web3,
            account,
            confirmations=0 if tessera.deployment.chain_id in LOCAL_CHAINS else settings.confirmations,
            max_gas_price=settings.gas.max_price,
            seconds_per_price=SECONDS_PER_PRICE,
            alone=True,
        )
        node = cls(
            settings,
            tessera,
            index,
            store,
            Sender(tessera, store, wallet, settings.gas, reader),
            News(settings.limits),
            Syncer(index, settings.every),
            Leaders(index),
        )
        watch = Watch(index, store)
        if settings.messages_file is not None:
            node.messenger = Messenger(settings, index, store, notifier(settings.messages_file))

        def then() -> None:
            node.leaders.follow()
            if (step := watch.step()) is not None:
                node.news.publish_from(step)
            if watch.names_changed():
                node.news.tell_from(NAMES)

        node.syncer.then = then
        return node

    def start(self) -> None:
        """Begins to read the chain, to send, and to announce."""
        self.syncer.start()
        self.sender.start()
        if self.messenger is not None:
            self.messenger.start(self.sender)

    def stop(self) -> None:
        """Waits for what is under way."""
        if self.messenger is not None:
            self.messenger.stop()
        self.sender.stop()
        self.syncer.stop()

    def market(self, market_id: int) -> Market:
        """A market as the contract has it, read once a block for all who ask. Raises Reverted where there is none."""
        markets = LmsrMarkets(self.sender.reader, self.tessera.markets.address)
        if (head := self.syncer.head) is None:
            return markets.market(market_id)
        key = head, time.monotonic() // FRESH_SECONDS
        if self._markets[0] != key:
            self._markets = key, {}
        _, known = self._markets
        if market_id not in known:
            known[market_id] = markets.market(market_id)
        return known[market_id]

    @property
    def chain_id(self) -> int:
        """The chain's number."""
        return self.tessera.deployment.chain_id


def opened(settings: Settings) -> Node:
    """The node of some settings, nothing of which runs yet. Raises ChainError."""
    deployment = Deployment.load(settings.record)
    tessera = Tessera(connect(settings.rpc), deployment)
    account = account_of(settings, deployment.chain_id)
    return Node.of(settings, tessera, account, connect(settings.rpc, patience=PATIENCE))


def account_of(settings: Settings, chain_id: int) -> Signer:
    """The node's account. Raises ChainError where it cannot be had."""
    if settings.devnet_account is not None:
        if chain_id not in LOCAL_CHAINS:
            raise ChainError("devnet_account is for a devnet alone: everybody knows its keys. Name a key_file")
        from tessera.chain.embedded import known_account

        return known_account(settings.devnet_account)
    if settings.key_file is None or settings.passphrase_file is None:
        raise ChainError("name key_file and passphrase_file: the account that invites and gives gas money")
    return from_key_file(settings.key_file, secret_of(settings.passphrase_file))
