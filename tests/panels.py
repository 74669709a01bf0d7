"""Questions to panels, and members' signatures as `Panels` takes them."""

from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from tessera.chain import panels
from tessera.chain.panels import REPORT_TYPE

LAST_OUTCOME = 125  # what is above counts as INVALID
SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Question(panels.Question):
    """What a product asks a panel, with its id computed here."""

    @property
    def id(self) -> bytes:
        """The hash of all four fields."""
        return keccak(encode(["address", "bytes32", "uint256", "uint256"], list(self)))


def accounts(count: int) -> list:
    """Accounts whose keys the tests hold, ascending by address."""
    keys = [Account.from_key(keccak(text=f"panel member {i}")) for i in range(count)]
    return sorted(keys, key=lambda account: int(account.address, 16))


def panel_id_of(members: list, threshold: int) -> int:
    """The id of a panel: the hash of its ascending members and its threshold."""
    return int.from_bytes(keccak(encode(["address[]", "uint256"], [members, threshold])))


def typed_report(contract: str, chain_id: int, panel_id: int, question: Question, outcome: int):
    """What a member signs, as eth-account wants it."""
    domain = {"name": "Tessera Panels", "version": "1", "chainId": chain_id, "verifyingContract": contract}
    return encode_typed_data(domain, REPORT_TYPE, {"panel_id": panel_id, **question._asdict(), "outcome": outcome})


def compact(v: int, r: int, s: int) -> tuple[int, int]:
    """A signature in the two words of EIP-2098."""
    return r, s | (v - 27) << 255


def sign(account, contract: str, chain_id: int, panel_id: int, question: Question, outcome: int) -> tuple[int, int]:
    """A member's signature of a report."""
    signed = account.sign_message(typed_report(contract, chain_id, panel_id, question, outcome))
    return compact(signed.v, signed.r, signed.s)
