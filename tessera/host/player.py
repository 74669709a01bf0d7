"""One client's conversation with a host: what it may ask, and what it is answered."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from eth_account.messages import SignableMessage

from tessera.chain.errors import ChainError, NodeError
from tessera.chain.hosted_bets import Bet, HostSignature
from tessera.chain.signatures import is_signed_by_code, signer_of, standard_form
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
from tessera.host.purse import Purse
from tessera.host.sign_in import Challenge, SignInError
from tessera.host.store import SignedBet
from tessera.index.limits import BURST, Allowance

POOL_SECONDS, ODDS_SECONDS = 60, 20  # that a signed bet is good for
MESSAGES_A_SECOND, BETS_A_SECOND = 5, 4
CHAIN_CHECKS_A_SECOND = 10  # for all connections together

Answer = dict[str, Any]
Signatures = list[tuple[SignableMessage, bytes]]


@dataclass(frozen=True)
class ChainCheck:
    """A message that is answered once the chain was asked something: who signed, or what an account has.

    `ask` takes as long as the node does; any thread may call it. `answer` takes what it returned.
    """

    ask: Callable[[], Any]
    answer: Callable[[Any], list[Answer]]


class Player:
    """Whoever is at the other end of a connection; `account` is None until an address is proven."""

    def __init__(self, node: Node, challenge: Challenge, bets: Allowance, chain_checks: Allowance):
        """`bets` counts the bets of each account, `chain_checks` what the chain is asked, over all connections."""
        self.node, self.account = node, None
        self._challenge = challenge
        self._messages, self._bets, self._chain_checks = Allowance(MESSAGES_A_SECOND), bets, chain_checks
        self._to_sign: list[tuple[Offered, Bet]] = []
        self._vouchers: dict[bytes, HostSignature] = {}

    def greeting(self) -> list[Answer]:
        """What is sent on connect."""
        return [{"method": "challenge", "message": self._challenge.text}, self.state()]

    def state(self) -> Answer:
        """The bets, as this player sees them."""
        return bets_frame(self.node.view, self.account, self.node.decimals, self._vouchers)

    def answer(self, text: str) -> list[Answer] | ChainCheck:
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

    def _answer(self, frame: Frame) -> list[Answer] | ChainCheck:
        if isinstance(frame, SignIn):
            return self._sign_in(frame)
        if self.account is None:
            raise FrameError("not_signed_in", "sign in first: sign the challenge's text")
        if isinstance(frame, BetsSelected):
            return self._select(frame)
        if isinstance(frame, BetsSigned):
            return self._signed(frame)
        return self._placed(frame)

    def _sign_in(self, frame: SignIn) -> list[Answer] | ChainCheck:
        account, message = self._challenge.signable(frame.message)
        signature = _bytes(frame.signature)
        by_code = [] if signer_of(message, signature) == account else [(message, signature)]
        refusal = SignInError(f"the text was not signed by {account}")
        return self._once_signed(account, by_code, frame, refusal, self._signed_in)

    def _signed_in(self, account: str) -> list[Answer]:
        if account != self.account:
            self.gone()
            self.account, self._to_sign = account, []
            self._vouchers = self.node.catalogue.vouchers(account)
            self.node.watch(account, True)
        return [{"method": "signed_in", "account": account}, self.state()]

    def _once_signed(
        self,
        account: str,
        by_code: Signatures,
        frame: Frame,
        refusal: ChainError,
        then: Callable[[str], list[Answer]],
    ) -> list[Answer] | ChainCheck:
        """What `then` answers, where the account's code signed what its key did not. Raises `refusal`."""
        if not by_code:
            return then(account)
        if not self._chain_checks.take("", len(by_code)):
            raise FrameError("too_many_requests", "too many signatures of contract wallets at once: try again")

        def ask() -> bool | None:
            try:
                return all(is_signed_by_code(self.node.tessera.web3, account, *signature) for signature in by_code)
            except NodeError:
                return None

        def answer(is_signed: bool | None) -> list[Answer]:
            try:
                if is_signed is None:
                    raise FrameError("try_later", "the chain cannot be asked now whether this was signed: try again")
                if not is_signed:
                    raise refusal
                return then(account)
            except ChainError as error:
                return [error_frame(error, frame.method)]

        return ChainCheck(ask, answer)

    def _select(self, frame: BetsSelected) -> list[Answer] | ChainCheck:
        self._count(len(frame.bets_info))
        self._to_sign = []
        bets = [self._bet(info) for info in frame.bets_info]
        self._check_gas(bets)
        purse = self.node.view.purses.get(str(self.account))
        refusal = None if purse is None else self._lacking(purse, bets)
        if purse is None or refusal is None:  # without a purse: just signed in, and the node has not looked yet
            return self._to_be_signed(bets)
        if not self._chain_checks.take(""):
            raise refusal

        def answer(newer: Purse) -> list[Answer]:
            lacking = self._lacking(newer, bets)
            return self._to_be_signed(bets) if lacking is None else [error_frame(lacking, frame.method)]

        # What the node has seen is some seconds old: the player may have deposited since.
        return ChainCheck(lambda: self._purse_now(purse), answer)

    def _to_be_signed(self, bets: list[tuple[Offered, Bet]]) -> list[Answer]:
        self._to_sign = bets
        relayer = self.node.wallet.address
        messages = [offered.signer.json_bet(offered.bet_id, bet, relayer) for offered, bet in bets]
        return [{"method": "bets_to_sign", "bets": messages}]

    def _check_gas(self, bets: list[tuple[Offered, Bet]]) -> None:
        """Raises FrameError where the host has spent on gas for the account, or for all, what it spends. Weighed again
        before anything is sent."""
        view, account = self.node.view, str(self.account)
        if view.gas is None:
            return
        gas, listed = view.gas.copy(), set(view.listed)
        for offered, _ in bets:
            lists = offered.bet_id not in listed
            if refusal := gas.refusal(account, lists=lists):
                raise FrameError(*refusal)
            gas.take(account, lists=lists)
            listed.add(offered.bet_id)

    def _lacking(self, purse: Purse, bets: list[tuple[Offered, Bet]]) -> FrameError | None:
        """Why a purse is not enough for all of the bets. Those that many connections sign at once are weighed again
        before anything is sent for them."""
        for offered, bet in bets:
            if refusal := purse.refusal(offered.product, bet.amount, self.node.decimals):
                return FrameError(*refusal)
            purse = purse.with_promise(bet.amount)
        return None

    def _purse_now(self, purse: Purse) -> Purse:
        """The account's purse with what the chain says now; as it is where the node cannot be asked."""
        escrow, account = self.node.tessera.escrow, str(self.account)
        try:
            return replace(purse, balance=escrow.balance_of(account), consent=escrow.consent_of(account))
        except NodeError:
            return purse

    def _bet(self, info: BetInfo) -> tuple[Offered, Bet]:
        view = self.node.view
        offered = next(
            (open_bet for open_bet in view.open_bets(self.account) if open_bet.bet.number == info.bet_id), None
        )
        if offered is None:
            raise FrameError("unknown_bet", f"there is no open bet {info.bet_id}")
        if info.desc != offered.bet.description:
            raise FrameError("other_desc", f"bet {info.bet_id} is {offered.bet.description!r}")
        if info.prediction not in offered.bet.predictions:
            raise FrameError("unknown_prediction", f"the predictions are {', '.join(offered.bet.predictions)}")
        account, prediction = str(self.account), offered.bet.predictions.index(info.prediction)
        if offered.excludes(account):
            raise FrameError("excluded", "the host and the members of the panel cannot take part")
        amount = info.units(self.node.decimals)
        before = 0 if offered.bet.has_odds else view.position(account, offered.bet_id, prediction)
        # The contract's range is for a position. Each bet that is landed costs the host gas, however small it is.
        most = offered.bet.max_stake - before
        if not 0 < min(offered.bet.min_stake, most) <= amount <= most:
            raise FrameError("bad_amount", f"bet {info.bet_id} takes stakes in its range alone")
        seconds = ODDS_SECONDS if offered.bet.has_odds else POOL_SECONDS
        return offered, Bet(account, prediction, amount, 0, self.node.nonce(account), self.node.clock() + seconds)

    def _signed(self, frame: BetsSigned) -> list[Answer] | ChainCheck:
        if len(frame.signatures) != len(self._to_sign):
            raise FrameError("bad_frame", f"{len(self._to_sign)} bets were sent to be signed")
        account, relayer = str(self.account), self.node.wallet.address
        bets: list[SignedBet] = []
        by_code: Signatures = []
        signed = list(zip(self._to_sign, frame.signatures, strict=True))
        for (offered, bet), text in signed:
            if text is not None:
                message, signature = offered.signer.typed_bet(offered.bet_id, bet, relayer), _bytes(text)
                if signer_of(message, signature) == account:
                    signature = standard_form(signature)
                else:  # a wallet's code gets its own bytes
                    by_code.append((message, signature))
                bets.append(SignedBet(offered.contract.address, offered.bet_id, bet, signature))

        def take(_: str) -> list[Answer]:
            self._to_sign = []
            self.node.take(bets)
            taken = (None if text is None else str(bet.nonce) for (_, bet), text in signed)
            return [{"method": "bets_accepted", "nonces": list(taken)}]

        refusal = FrameError("bad_signature", f"not signed by {account}")
        return self._once_signed(account, by_code, frame, refusal, take)

    def _placed(self, frame: BetsPlaced) -> list[Answer]:
        self._count(len(frame.transactions))
        self.node.look(str(self.account), frame.transactions)
        return []

    def _count(self, bets: int) -> None:
        if not self._bets.take(str(self.account), bets):
            raise FrameError(
                "too_many_requests", f"at most {BETS_A_SECOND} bets a second, {int(BURST * BETS_A_SECOND)} at once"
            )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
