"""What the house of a stream offers and allows. Money in the smallest unit, times in the unit of their name."""

from dataclasses import dataclass

from tessera.chain.errors import ChainError
from tessera.model.loss.expected import PPM
from tessera.model.sessions.states import MAX_OPEN

LONGEST_SESSION = 30 * 86_400  # the contract's
LONGEST_QUOTE_MS = 3_000
KEPT_MS = 2 * 86_400_000  # after `report_by`, that engine and clients remember a question
LAND_MS = 600_000  # before `report_by`, for results and books to be landed


class TermsError(ChainError):
    """Terms or questions that no house can offer. `str(error)` says which."""

    code = "terms"


@dataclass(frozen=True)
class Terms:
    """Of one stream, the same for everybody. Parts are basis points, `edge_ppm` parts per million of a stake."""

    activation: int
    least_deposit: int
    greatest_deposit: int
    least_stake: int
    greatest_stake: int
    greatest_liability: int  # of one bet
    edge_ppm: int = 50_000
    house_lock_bps: int = 15_000  # of the deposit
    balance_share_bps: int = 2_500  # largest part of a balance that one bet may stake
    between_ms: int = 500  # two bets of a session
    most_open: int = MAX_OPEN
    requests_per_second: int = 10
    session_seconds: int = 86_400
    picture_delay_ms: int = 0  # from the camera to the player's screen
    confirmations: int = 0

    def __post_init__(self):
        """Raises TermsError."""
        ranges = {
            "activation": (1, 2**96 - 1),
            "least_deposit": (1, self.greatest_deposit),
            "greatest_deposit": (1, 2**64 - 1),
            "least_stake": (1, self.greatest_stake),
            "greatest_stake": (1, self.greatest_deposit),
            "greatest_liability": (1, 2**64 - 1),
            "edge_ppm": (0, PPM - 1),
            "house_lock_bps": (1, 10**6),
            "balance_share_bps": (1, 10_000),
            "between_ms": (0, 60_000),
            "most_open": (1, MAX_OPEN),
            "requests_per_second": (1, 1_000),
            "session_seconds": (60, LONGEST_SESSION - 3_600),  # an offer is used later than it is signed
            "picture_delay_ms": (0, 600_000),
            "confirmations": (0, 1_000),
        }
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise TermsError(f"{name} = {value!r}: a whole number from {least} to {most}")
        if self.least_deposit * self.house_lock_bps < 10_000:
            raise TermsError("house_lock_bps: the house locks nothing beside the least deposit")
