"""One client's conversation with a host: what it may ask, and what it is answered."""

from typing import Any

from eth_account import Account

from tessera.chain.errors import ChainError
from tessera.chain.hosted_bets import Bet
from tessera.host.catalogue import Offered
from tessera.host.frames import (
    BetInfo,
    BetsPlaced,
    BetsSelected,
    BetsSigned,
    Frame,
    FrameError,
    SignIn,
    bets_frame,
    error_frame,
    read_frame,
)
from tessera.host.node import Node
from tessera.host.sign_in import NO_SIGNATURE, Challenge
from tessera.host.store import SignedBet
from tessera.index.limits import BURST, Allowance

POOL_SECONDS, ODDS_SECONDS = 60, 20  # that a signed bet is good for
MESSAGES_A_SECOND, BETS_A_SECOND = 5, 4

Answer = dict[str, Any]


class Player:
    """Whoever is at the other end of a connection; `account` is None until an address is proven."""

    def __init__(self, node: Node, challenge: Challenge, bets: Allowance):
        """`bets` counts the bets of each account, over all of its connections."""
        self.node, self.account = node, None
        self._challenge = challenge
        self._messages, self._bets = Allowance(MESSAGES_A_SECOND), bets
        self._to_sign: list[tuple[Offered, Bet]] = []

    def greeting(self) -> list[Answer]:
        """What is sent on connect."""
        return [{"method": "challenge", "message": self._challenge.text}, self.state()]

    def state(self) -> Answer:
        """The bets, as this player sees them."""
        return bets_frame(self.node.view, self.account, self.node.decimals)

    def answer(self, text: str) -> list[Answer]:
        """What a message is answered: an error at worst."""
        method = None
        try:
            if not self._messages.take(""):
                raise FrameError("too_many_requests", f"at most {MESSAGES_A_SECOND} messages a second")
            frame = read_frame(text)
            method = frame.method
            return self._answer(frame)
        except ChainError as error:
            return [error_frame(error, method)]

    def gone(self) -> None:
        """Says that the connection is over."""
        if self.account is not None:
            self.node.watch(self.account, False)

    def _answer(self, frame: Frame) -> list[Answer]:
        if isinstance(frame, SignIn):
            return self._sign_in(frame)
        if self.account is None:
            raise FrameError("not_signed_in", "sign in first: sign the challenge's text")
        if isinstance(frame, BetsSelected):
            return self._select(frame.bets_info)
        if isinstance(frame, BetsSigned):
            return self._signed(frame)
        return self._placed(frame)

    def _sign_in(self, frame: SignIn) -> list[Answer]:
        account = self._challenge.account_of(frame.message, frame.signature)
        if account != self.account:
            self.gone()
            self.account, self._to_sign = account, []
            self.node.watch(account, True)
        return [{"method": "signed_in", "account": account}, self.state()]

    def _select(self, chosen: list[BetInfo]) -> list[Answer]:
        self._count(len(chosen))
        self._to_sign = [self._bet(info) for info in chosen]
        relayer = self.node.wallet.address
        messages = [offered.signer.json_bet(offered.bet_id, bet, relayer) for offered, bet in self._to_sign]
        return [{"method": "bets_to_sign", "bets": messages}]

    def _bet(self, info: BetInfo) -> tuple[Offered, Bet]:
        view = self.node.view
        offered = next((one for one in view.open_bets(self.account) if one.bet.number == info.bet_id), None)
        if offered is None:
            raise FrameError("unknown_bet", f"there is no open bet {info.bet_id}")
        if info.desc != offered.bet.description:
            raise FrameError("other_desc", f"bet {info.bet_id} is {offered.bet.description!r}")
        if info.prediction not in offered.bet.predictions:
            raise FrameError("unknown_prediction", f"the predictions are {', '.join(offered.bet.predictions)}")
        amount = info.units(self.node.decimals)
        if not 0 < amount <= offered.bet.max_stake:
            raise FrameError("bad_amount", f"bet {info.bet_id} takes stakes in its range alone")
        seconds = ODDS_SECONDS if offered.bet.has_odds else POOL_SECONDS
        prediction = offered.bet.predictions.index(info.prediction)
        account = str(self.account)
        return offered, Bet(account, prediction, amount, 0, self.node.nonce(account), self.node.clock() + seconds)

    def _signed(self, frame: BetsSigned) -> list[Answer]:
        if len(frame.signatures) != len(self._to_sign):
            raise FrameError("bad_frame", f"{len(self._to_sign)} bets were sent to be signed")
        bets = []
        for (offered, bet), signature in zip(self._to_sign, frame.signatures, strict=True):
            if signature is not None:
                bets.append(self._checked(offered, bet, bytes.fromhex(signature.removeprefix("0x"))))
        self._to_sign = []
        self.node.take(bets)
        return []

    def _checked(self, offered: Offered, bet: Bet, signature: bytes) -> SignedBet:
        message = offered.signer.typed_bet(offered.bet_id, bet, self.node.wallet.address)
        try:
            signer = Account.recover_message(message, signature=signature)
        except NO_SIGNATURE:
            signer = None
        if signer != self.account:
            raise FrameError("bad_signature", f"not signed by {self.account}")
        return SignedBet(offered.contract.address, offered.bet_id, bet, signature)

    def _placed(self, frame: BetsPlaced) -> list[Answer]:
        self._count(len(frame.transactions))
        self.node.look(str(self.account), frame.transactions)
        return []

    def _count(self, bets: int) -> None:
        if not self._bets.take(str(self.account), bets):
            raise FrameError(
                "too_many_requests", f"at most {BETS_A_SECOND} bets a second, {int(BURST * BETS_A_SECOND)} at once"
            )
