"""A player's end of the conversation with a host: it believes nothing that it can check itself."""

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from eth_account.messages import encode_defunct
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from web3 import Web3
from websockets.exceptions import InvalidURI, WebSocketException
from websockets.sync.client import connect

from tessera.chain.deployments import Tessera
from tessera.chain.errors import ChainError
from tessera.chain.hosted_bets import NO_SIGNATURE, Bet, HostedBets, HostSignature, Listing
from tessera.chain.signatures import signer_of, standard_form
from tessera.chain.wallet import Signer
from tessera.host.bets_file import MOST_BPS, MOST_PROFIT, MOST_STAKE
from tessera.host.catalogue import contract_of
from tessera.host.frames import MOST_BETS, Hash, Hex
from tessera.host.sign_in import text_to_sign

SECONDS = 20.0  # for a host to answer
SHOWN_SECONDS = 6.0  # for a host to show a bet that it was told of: it looks every two seconds
MOST_BYTES = 2**23  # of a message from a host: 2,000 bets of 3 kB
DEADLINE_SECONDS = 120  # that a signed bet is good for at most, as in the contracts


class HostError(ChainError):
    """A host does not answer, or not as docs/host.md says, or refuses."""

    code = "host"


class ListingError(ChainError):
    """A host shows a bet otherwise than it signed it, or asks to sign another bet than was chosen."""

    code = "bad_listing"


def _counted(text: Any) -> int:
    if not isinstance(text, str) or re.fullmatch(r"[0-9]{1,78}", text) is None:
        raise ValueError("a whole number, as decimal string")
    if int(text) >= 2**256:
        raise ValueError("more than a contract can count")
    return int(text)


def _address(text: str) -> str:
    if not Web3.is_checksum_address(text):
        raise ValueError("an address with its checksum")
    return text


Number = Annotated[int, BeforeValidator(_counted)]
Address = Annotated[str, AfterValidator(_address)]


class _Listing(BaseModel):
    """A listing that a contract would take, whatever its host signed: what is shown relies on its bounds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    host: Address
    salt: Hash
    description: Annotated[str, Field(max_length=256)]
    predictions: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=2, max_length=16)]
    profits: Annotated[list[Annotated[Number, Field(ge=1, le=MOST_PROFIT)]], Field(max_length=16)]
    min_stake: Annotated[Number, Field(ge=1)]
    max_stake: Annotated[Number, Field(le=MOST_STAKE)]
    closes_at: Annotated[Number, Field(lt=2**32)]
    result_deadline: Annotated[Number, Field(lt=2**32)]
    panel_id: Number
    host_bps: Annotated[Number, Field(le=MOST_BPS)]
    validator_bps: Annotated[Number, Field(le=MOST_BPS)]
    is_private: bool

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.min_stake > self.max_stake:
            raise ValueError("the least stake is above the greatest")
        if self.profits and (len(self.profits) != len(self.predictions) or self.host_bps):
            raise ValueError("odds come with a profit for each prediction, and without a commission of the host")
        return self


class _HostSignature(BaseModel):
    expires_at: Number
    signature: Hex


class _OpenBet(BaseModel):
    bet_id: int
    desc: str
    onchain_id: Hash
    contract: Address
    listing: _Listing
    host_signature: _HostSignature
    voucher: _HostSignature | None = None

    @property
    def leave(self) -> HostSignature:
        """The host's leave to bet in a private bet; the contract checks it."""
        if self.voucher is None:
            return NO_SIGNATURE
        return HostSignature(self.voucher.expires_at, bytes.fromhex(self.voucher.signature[2:]))


_OPEN_BETS: TypeAdapter[list[_OpenBet]] = TypeAdapter(list[_OpenBet])


@dataclass(frozen=True)
class ShownBet:
    """A bet that its host has signed. `number` is the host's own; None: it was read from the chain."""

    number: int | None
    contract: HostedBets
    listing: Listing
    offer: HostSignature = NO_SIGNATURE
    voucher: HostSignature = NO_SIGNATURE

    @property
    def bet_id(self) -> bytes:
        return self.listing.bet_id


class Client:
    """One connection to a host. `state` is the newest `bets` frame."""

    def __init__(self, url: str, tessera: Tessera):
        """Connects to ws://... or wss://... Raises HostError."""
        self.url, self.tessera = url, tessera
        self.account: Signer | None = None
        try:
            self._socket = connect(url, open_timeout=SECONDS, close_timeout=SECONDS, max_size=MOST_BYTES)
        except InvalidURI:
            raise HostError(f"{url} is no address of a host: ws://host:port or wss://host") from None
        except (OSError, WebSocketException) as error:
            raise HostError(f"no host answers at {url}: {error}") from None
        self._challenge = self.next("challenge").get("message", "")
        self.state = self.next("bets")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; what was sent before is still read."""
        self._socket.close()

    def next(self, method: str) -> dict[str, Any]:
        """The next message of a method; news of bets before it are kept. Raises HostError where none comes, or an
        error does."""
        until = time.monotonic() + SECONDS
        while True:
            frame = self._receive(until - time.monotonic())
            if frame is None:
                raise HostError(f"the host at {self.url} does not answer")
            if frame["method"] == method:
                return frame

    def sign_in(self, account: Signer) -> None:
        """Proves an address to the host. Raises SignInError where its challenge is not to be signed, HostError."""
        host = urlsplit(self.url).netloc
        text = text_to_sign(str(self._challenge), account.address, host, self.tessera.deployment.chain_id)
        signature = bytes(account.sign_message(encode_defunct(text=text)).signature)
        self._send(method="sign_in", message=text, signature=f"0x{signature.hex()}")
        self.next("signed_in")
        self.account = account
        self.next("bets")

    def open_bets(self) -> list[ShownBet]:
        """The bets that can be placed now, each as its host signed it. Raises ListingError where one is not."""
        try:
            shown = _OPEN_BETS.validate_python(self.state.get("open_bets"))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise HostError(f"the host's bets cannot be read: {place}: {first['msg']}") from None
        return [self._checked(bet) for bet in shown]

    def bet(self, chosen: Sequence[tuple[ShownBet, int, int]]) -> list[Bet]:
        """Signs bets (the bet, a prediction, an amount) that the host then lands, at most 16; what it accepted.

        Raises ListingError where the host asks to sign anything else, HostError where it refuses or does not answer:
        what was signed until then it can still land before the deadline.
        """
        infos = [
            {
                "bet_id": shown.number,
                "desc": shown.listing.description,
                "prediction": shown.listing.predictions[prediction],
                "bet_amount": 0,
                "bet_amount_units": str(amount),
            }
            for shown, prediction, amount in chosen
        ]
        self._send(method="bets_selected", bets_info=infos)
        messages = self.next("bets_to_sign").get("bets")
        if not isinstance(messages, list) or len(messages) != len(chosen) or len(chosen) > MOST_BETS:
            raise ListingError("the host asks to sign other bets than were chosen")
        bets = [self._asked(message, *shown) for message, shown in zip(messages, chosen, strict=True)]
        signatures = [
            shown.contract.signer().bet(self._player, shown.bet_id, bet, shown.listing.host)
            for bet, (shown, _, _) in zip(bets, chosen, strict=True)
        ]
        self._send(method="bets_signed", signatures=[f"0x{signature.hex()}" for signature in signatures])
        if self.next("bets_accepted").get("nonces") != [str(bet.nonce) for bet in bets]:
            raise HostError("the host says that it took other bets than were signed: until their deadline any may land")
        return bets

    def tell(self, transaction: str) -> None:
        """Names a transaction of the player's own that placed bets."""
        self._send(method="bets_placed", transactions=[transaction])

    def until(self, holds: Callable[[dict[str, Any]], bool], seconds: float = SECONDS) -> bool:
        """Reads news of bets until a condition holds of `state`; whether it did within that time. Raises HostError for
        an error of the host's."""
        until = time.monotonic() + seconds
        while not holds(self.state):
            if self._receive(until - time.monotonic()) is None:
                return False
        return True

    def stakes(self) -> list[dict[str, Any]]:
        """The player's stakes as the host shows them: those that wait, then the others."""
        return [*self.state.get("placed_bets", ()), *self.state.get("confirmed_bets", ())]

    def shows(self, transaction: str) -> bool:
        """Whether the host soon shows a bet that this transaction placed."""
        return self.until(lambda _: any(one.get("tx") == transaction for one in self.stakes()), SHOWN_SECONDS)

    @property
    def _player(self) -> Signer:
        if self.account is None:
            raise HostError("sign in first")
        return self.account

    def _checked(self, shown: _OpenBet) -> ShownBet:
        content: dict[str, Any] = shown.listing.model_dump()
        content |= {name: tuple(content[name]) for name in ("predictions", "profits")}
        content["salt"] = bytes.fromhex(shown.listing.salt[2:])
        listing = Listing(**content)
        contract = contract_of(self.tessera, bool(listing.profits))
        signature = standard_form(bytes.fromhex(shown.host_signature.signature[2:]))
        offer = HostSignature(shown.host_signature.expires_at, signature)
        about = f"bet {shown.bet_id} of {self.url}"
        if f"0x{listing.bet_id.hex()}" != shown.onchain_id:
            raise ListingError(f"{about}: its listing was changed, its id is not the listing's hash. Do not bet on it")
        if contract.address != shown.contract:
            raise ListingError(f"{about} is in {shown.contract}, which is not {contract.NAME}. Do not bet on it")
        if shown.desc != listing.description:
            raise ListingError(f"{about} is called {shown.desc!r}, and listed otherwise. Do not bet on it")
        message = contract.signer().typed_offer(listing.bet_id, offer.expires_at)
        if signer_of(message, signature) != listing.host:
            raise ListingError(f"{about} was not signed by its host {listing.host}. Do not bet on it")
        return ShownBet(shown.bet_id, contract, listing, offer, shown.leave)

    def _asked(self, message: Any, shown: ShownBet, prediction: int, amount: int) -> Bet:
        """The bet that a host asks to sign, which is the chosen one in all that is not the host's to fill in."""
        now = max(int(time.time()), self.tessera.web3.eth.get_block("latest").get("timestamp", 0))
        try:
            nonce, deadline = int(message["message"]["nonce"]), int(message["message"]["deadline"])
        except (TypeError, KeyError, ValueError):
            raise ListingError("the host asks to sign what is no bet") from None
        bet = Bet(self._player.address, prediction, amount, 0, nonce, deadline)
        if message != shown.contract.signer().json_bet(shown.bet_id, bet, shown.listing.host):
            raise ListingError("the host asks to sign another bet than was chosen")
        if deadline > now + DEADLINE_SECONDS:
            raise ListingError("the host asks to sign a bet that it could hold back for more than two minutes")
        return bet

    def _send(self, **frame: Any) -> None:
        try:
            self._socket.send(json.dumps(frame))
        except (OSError, WebSocketException) as error:
            raise HostError(f"the host at {self.url} is gone: {error}") from None

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        """The next message, None where none comes in time; the newest bets are kept. Raises HostError, for an error
        that the host sends, too."""
        if seconds <= 0:  # also of a host that never stops talking
            return None
        try:
            frame = json.loads(self._socket.recv(timeout=seconds))
        except TimeoutError:
            return None
        except (OSError, WebSocketException) as error:
            raise HostError(f"the host at {self.url} is gone: {error}") from None
        except (ValueError, RecursionError):
            raise HostError(f"{self.url} does not answer as a host does") from None
        if not isinstance(frame, dict) or not isinstance(frame.get("method"), str):
            raise HostError(f"{self.url} does not answer as a host does")
        if frame["method"] == "error":
            raise HostError(f"the host refuses: {frame.get('message')} [{frame.get('code')}]")
        if frame["method"] == "bets":
            self.state = frame
        return frame
