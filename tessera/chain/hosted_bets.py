"""What ProrataBets and OddsBets have in common: listings, signed bets, offers and vouchers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from eth_abi.abi import encode
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak

from tessera.chain.contract import Contract, EventLog, Receipt
from tessera.chain.panels import Question
from tessera.chain.wallet import Signer as Account
from tessera.chain.wallet import Wallet
from tessera.model.eip712 import DOMAIN

VERSION = "1"  # in the domain of what is signed
LISTING_TYPE = (
    "(address,bytes32,string,string[],uint256[],uint256,uint256,uint256,uint256,uint256,uint256,uint256,bool)"
)
BET_TYPE = {
    "Bet": [
        {"name": "account", "type": "address"},
        {"name": "bet_id", "type": "bytes32"},
        {"name": "prediction", "type": "uint256"},
        {"name": "amount", "type": "uint256"},
        {"name": "min_confirmed", "type": "uint256"},
        {"name": "relayer", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]
}
OFFER_TYPE = {"Offer": [{"name": "bet_id", "type": "bytes32"}, {"name": "expires_at", "type": "uint256"}]}
VOUCHER_TYPE = {
    "Voucher": [
        {"name": "bet_id", "type": "bytes32"},
        {"name": "account", "type": "address"},
        {"name": "expires_at", "type": "uint256"},
    ]
}


CANCEL_TYPE = {"Cancel": [{"name": "bet_id", "type": "bytes32"}, {"name": "ticket_id", "type": "uint256"}]}


class Listing(NamedTuple):
    """All of a bet; money in the token's smallest unit, times in unix seconds, profits in tenths of a percent."""

    host: str
    salt: bytes
    description: str
    predictions: Sequence[str]
    profits: Sequence[int]  # OddsBets: one a prediction; ProrataBets: none
    min_stake: int
    max_stake: int
    closes_at: int
    result_deadline: int
    panel_id: int
    host_bps: int
    validator_bps: int
    is_private: bool = False

    @property
    def bet_id(self) -> bytes:
        """The hash of the whole content, as the contracts compute it."""
        return keccak(encode([LISTING_TYPE], [tuple(self)]))

    def question(self, product: str) -> Question:
        """What the panel is asked about the bet."""
        return Question(product, self.bet_id, self.closes_at, self.result_deadline)


class Bet(NamedTuple):
    """What a person signs, less the bet's id and the relayer. `min_confirmed` is of use with odds alone."""

    account: str
    prediction: int
    amount: int
    min_confirmed: int
    nonce: int
    deadline: int


class HostSignature(NamedTuple):
    """An offer of a listing, or a voucher for an account of a private bet."""

    expires_at: int = 0
    signature: bytes = b""


NO_SIGNATURE = HostSignature()


def compact(signed) -> tuple[int, int]:
    """A signature in the two words of EIP-2098, `r` and `vs`, as `place_many` takes them."""
    return signed.r, signed.s | (signed.v - 27) << 255


def compact_words(signature: bytes) -> tuple[int, int]:
    """The same of a signature of 65 bytes."""
    r, s, v = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64], signature[64:65]))
    return r, s | (v % 27) << 255


class Signer:
    """Makes the EIP-712 messages of one deployed contract."""

    def __init__(self, name: str, chain_id: int, contract: str):
        self.domain = {
            "name": f"Tessera {name}",
            "version": VERSION,
            "chainId": chain_id,
            "verifyingContract": contract,
        }

    def typed_bet(self, bet_id: bytes, bet: Bet, relayer: str) -> SignableMessage:
        """What an account signs for a relayer."""
        return encode_typed_data(self.domain, BET_TYPE, {**bet._asdict(), "bet_id": bet_id, "relayer": relayer})

    def json_bet(self, bet_id: bytes, bet: Bet, relayer: str) -> dict:
        """The same for a wallet's eth_signTypedData_v4: numbers as decimal strings."""
        numbers = {name: value if name == "account" else str(value) for name, value in bet._asdict().items()}
        return {
            "types": {"EIP712Domain": DOMAIN, **BET_TYPE},
            "domain": self.domain,
            "primaryType": "Bet",
            "message": {**numbers, "bet_id": f"0x{bet_id.hex()}", "relayer": relayer},
        }

    def bet(self, account: Account, bet_id: bytes, bet: Bet, relayer: str) -> bytes:
        """A signed bet, 65 bytes."""
        return bytes(account.sign_message(self.typed_bet(bet_id, bet, relayer)).signature)

    def compact_bet(self, account: Account, bet_id: bytes, bet: Bet, relayer: str) -> tuple[int, int]:
        """A signed bet as `place_many` takes it."""
        return compact(account.sign_message(self.typed_bet(bet_id, bet, relayer)))

    def typed_offer(self, bet_id: bytes, expires_at: int) -> SignableMessage:
        """What a host signs to offer a listing."""
        return encode_typed_data(self.domain, OFFER_TYPE, {"bet_id": bet_id, "expires_at": expires_at})

    def offer(self, host: Account, bet_id: bytes, expires_at: int) -> HostSignature:
        """A host's offer of a listing, which anybody may then list."""
        return HostSignature(expires_at, bytes(host.sign_message(self.typed_offer(bet_id, expires_at)).signature))

    def voucher(self, host: Account, bet_id: bytes, account: str, expires_at: int) -> HostSignature:
        """A host's leave for an account to bet in a private bet."""
        message = {"bet_id": bet_id, "account": account, "expires_at": expires_at}
        signed = host.sign_message(encode_typed_data(self.domain, VOUCHER_TYPE, message))
        return HostSignature(expires_at, bytes(signed.signature))

    def cancel(self, account: Account, bet_id: bytes, ticket_id: int) -> bytes:
        """An owner's leave to cancel what waits of a ticket (OddsBets)."""
        message = {"bet_id": bet_id, "ticket_id": ticket_id}
        return bytes(account.sign_message(encode_typed_data(self.domain, CANCEL_TYPE, message)).signature)


@dataclass(frozen=True, kw_only=True)
class BetListed(EventLog):
    bet_id: bytes
    host: str
    listing: Listing


@dataclass(frozen=True, kw_only=True)
class SaltRevoked(EventLog):
    host: str
    salt: bytes


@dataclass(frozen=True, kw_only=True)
class BetClosed(EventLog):
    bet_id: bytes
    closes_at: int


@dataclass(frozen=True, kw_only=True)
class AccountsAdmitted(EventLog):
    bet_id: bytes
    accounts: list


@dataclass(frozen=True, kw_only=True)
class NonceBurned(EventLog):
    account: str
    relayer: str
    nonce: int


@dataclass(frozen=True, kw_only=True)
class BetPlaced(EventLog):
    bet_id: bytes
    account: str
    prediction: int
    amount: int


@dataclass(frozen=True, kw_only=True)
class BetSkipped(EventLog):
    bet_id: bytes
    account: str
    nonce: int
    reason: str


LISTING_EVENTS = (BetListed, SaltRevoked, BetClosed, AccountsAdmitted, NonceBurned, BetPlaced, BetSkipped)


@dataclass(frozen=True)
class Terms:
    """What is stored of a listing. `closes_at` is earlier than `listed_closes_at` where the host closed the bet."""

    host: str
    panel_id: int
    predictions: int
    min_stake: int
    max_stake: int
    closes_at: int
    listed_closes_at: int
    result_deadline: int
    host_bps: int
    validator_bps: int
    is_private: bool


class HostedBets(Contract):
    """What both contracts of hosted bets can do."""

    NAME: ClassVar[str] = "hosted bets"

    def signer(self) -> Signer:
        """What makes the messages that this contract takes."""
        return Signer(self.NAME, self.web3.eth.chain_id, self.address)

    def bet_of(self, host: str, salt: bytes) -> bytes:
        """The bet that a host listed under a salt; zeros: none, all ones: revoked."""
        return bytes(self.read("bet_of", host, salt))

    def is_used(self, account: str, relayer: str, nonce: int) -> bool:
        """Whether a nonce of a signed bet is placed or burned."""
        return self.read("is_used", account, relayer, nonce)

    def is_admitted(self, bet_id: bytes, account: str) -> bool:
        """Whether an account is on the list of a private bet."""
        return self.read("is_admitted", bet_id, account)

    def list_bet(self, sender: Wallet, listing: Listing, offer: HostSignature = NO_SIGNATURE) -> Receipt:
        """Lists a bet of the sender, or one that its host offers; `BetListed` is missing where it was listed before."""
        return self.write(sender, "list_bet", tuple(listing), tuple(offer))

    def revoke(self, sender: Wallet, salt: bytes) -> Receipt:
        """Burns a salt of the sender, so that no offer under it can be listed."""
        return self.write(sender, "revoke", salt)

    def close(self, sender: Wallet, bet_id: bytes) -> Receipt:
        """Ends placing now. Host only."""
        return self.write(sender, "close", bet_id)

    def admit(self, sender: Wallet, bet_id: bytes, accounts: Sequence[str]) -> Receipt:
        """Adds at most 256 accounts to the list of a private bet. Host only."""
        return self.write(sender, "admit", bet_id, list(accounts))

    def burn(self, sender: Wallet, relayer: str, nonce: int) -> Receipt:
        """Takes back a signed bet of the sender that has not been placed."""
        return self.write(sender, "burn", relayer, nonce)

    def place_signed(
        self, sender: Wallet, bet_id: bytes, bet: Bet, signature: bytes, voucher: HostSignature = NO_SIGNATURE
    ) -> Receipt:
        """Lands a bet that an account signed for the sender as relayer."""
        return self.write(sender, "place_signed", bet_id, tuple(bet), signature, tuple(voucher))

    def settle(self, sender: Wallet, bet_id: bytes) -> Receipt:
        """Settles a bet that the panel has decided, or whose result deadline is over. Anyone."""
        return self.write(sender, "settle", bet_id)
