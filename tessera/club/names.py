"""Names of members: which ones there can be, which look alike, and the statement that an account signs for its own.

What looks alike is Unicode's to say (UTS 39), by ICU. A name is compared by three keys, and none may be another's: its
skeleton as it is written, in lower case, and of the lower case. So "Ali" with a small L and "AIi" with a large I are
one name, and so are "anna" and "ANNA".
"""

import unicodedata
from functools import cache
from typing import Any, NamedTuple

import icu
from eth_account.messages import SignableMessage, encode_typed_data

from tessera.club.refusals import RefusedError
from tessera.model.eip712 import DOMAIN

MOST_LETTERS = 24
LEAST_DIGITS = 4  # after 0x, that make a name look like an address
SEPARATORS = " .-_'’"  # beside letters and digits; two names that differ in these alone are one
# What the page calls people, answers and itself, and who would be trusted by name.
RESERVED = """
    you me yourself somebody nobody anybody everybody stranger member owner inviter creator bettor referee judge winner
    host keeper node club tessera bank cashier admin administrator moderator support help yes no invalid cancelled
""".split()  # noqa: SIM905
DOMAIN_NAME, DOMAIN_VERSION = "Tessera club", "1"
NAME = [
    {"name": "account", "type": "address"},
    {"name": "name", "type": "string"},
    {"name": "issuedAt", "type": "uint64"},
]


class Name(NamedTuple):
    """A name as it is kept and shown, and what no other name may have in common with it."""

    text: str
    keys: tuple[str, str, str]


def name_of(text: str) -> Name:
    """A name in its normal form (NFKC, single spaces). Raises RefusedError `bad_name`."""
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for letter in text):
        raise RefusedError("bad_name", "A name has no invisible characters and none that turn the direction of text.")
    normal = " ".join(unicodedata.normalize("NFKC", text).split())
    if not normal:
        raise RefusedError("bad_name", "Say a name of 1 to 24 characters.")
    if len(normal) > MOST_LETTERS:
        raise RefusedError("bad_name", f"This name has {len(normal)} characters, a name has at most {MOST_LETTERS}.")
    bare = _bare(normal)
    allowed = _checker().getRecommendedUnicodeSet()
    if not bare or any(letter not in allowed for letter in bare):
        raise RefusedError("bad_name", f"A name has letters, digits, spaces and {SEPARATORS.strip()} alone.")
    if not any(unicodedata.category(letter).startswith("L") for letter in bare):
        raise RefusedError("bad_name", "A name has at least one letter.")
    if _checker().check(bare):
        raise RefusedError("bad_name", "A name has the letters and digits of one script.")
    keys = _keys(bare)
    if bare[:2].lower() == "0x" or _is_like_an_address(normal, keys[0]):
        raise RefusedError("bad_name", "A name does not look like an address, with 0x at its beginning.")
    if any(key in _reserved() for key in keys):
        raise RefusedError("bad_name", "This name is a word of the page's own, or looks like one: choose another one.")
    return Name(normal, keys)


def _keys(bare: str) -> tuple[str, str, str]:
    skeletons = (_skeleton(bare), _skeleton(bare.casefold()))
    # The lower case of a skeleton is compared as a skeleton again: a large I looks like a small L.
    return _skeleton(skeletons[0].casefold()), skeletons[1], bare.casefold()


def _is_like_an_address(name: str, key: str) -> bool:
    """Whether a name looks like an address, which the page shows by its ends, 0x1234…5678, where there is no name. A
    digit or dots make it one: Oxlade is a name."""
    start, digits = _hexadecimal()
    rest = key.removeprefix(start)
    is_like = key.startswith(start) and len(rest) >= LEAST_DIGITS and digits.issuperset(rest)
    return is_like and ("..." in name or any(letter.isdigit() for letter in name))


@cache
def _hexadecimal() -> tuple[str, frozenset[str]]:
    """What 0x and the digits after it look like."""
    return _skeleton("0x").casefold(), frozenset(_skeleton(digit).casefold() for digit in "0123456789abcdef")


@cache
def _reserved() -> frozenset[str]:
    return frozenset(key for word in RESERVED for text in (word, f"the{word}") for key in _keys(text))


def statement(chain_id: int, play_euro: str, account: str, name: str, issued_at: int) -> SignableMessage:
    """What an account signs (EIP-712) to be called by a name in the club of a PlayEuro."""
    message: dict[str, Any] = {
        "types": {"EIP712Domain": DOMAIN, "Name": NAME},
        "primaryType": "Name",
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": play_euro,
        },
        "message": {"account": account, "name": name, "issuedAt": issued_at},
    }
    return encode_typed_data(full_message=message)


def _bare(text: str) -> str:
    return "".join(letter for letter in text if letter not in SEPARATORS)


def _skeleton(text: str) -> str:
    return unicodedata.normalize("NFKC", _checker().getSkeleton(0, text))


def _checker() -> Any:
    api: Any = icu  # which has no types
    checker, checks, levels = api.SpoofChecker(), api.USpoofChecks, api.URestrictionLevel
    checker.setChecks(checks.RESTRICTION_LEVEL | checks.INVISIBLE | checks.MIXED_NUMBERS)
    checker.setRestrictionLevel(levels.SINGLE_SCRIPT_RESTRICTIVE)
    return checker
