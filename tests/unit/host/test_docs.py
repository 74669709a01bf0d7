"""docs/host.md: its file works, its frames are those of the node, its codes are all there are."""

import json
import re
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data

from tessera.host import frames, player
from tessera.host.bets_file import ALLOWED
from tessera.host.frames import METHODS, read_frame
from tessera.host.player import Player
from tessera.host.sign_in import Challenge
from tessera.index.limits import Allowance
from tests.unit.host.conftest import BARE, EUR

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "host.md").read_text()
EXAMPLES = {frame["method"]: frame for frame in map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))}
SENT = ("challenge", "bets", "signed_in", "bets_to_sign", "bets_accepted", "error")


def shape(value):
    """The names and kinds in a frame; of a list that of its first item, of what may be missing nothing."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_the_file_of_the_page_is_the_one_that_is_tested():
    assert re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL) == [BARE]
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)[: len(ALLOWED)] == list(ALLOWED)


def test_there_is_an_example_of_every_frame():
    assert set(EXAMPLES) == {*METHODS, *SENT}


@pytest.mark.parametrize("method", METHODS)
def test_an_example_that_a_client_sends_is_read(method):
    assert read_frame(json.dumps(EXAMPLES[method])).method == method


def test_what_the_node_sends_has_the_shape_of_the_examples(world):
    node = world.node(BARE)
    account = world.players[0]
    told = Player(node, Challenge("127.0.0.1:8700", "http://127.0.0.1:8700", 31337), Allowance(4), Allowance(4))

    def ask(**frame) -> list[dict]:
        return told.answer(json.dumps(EXAMPLES[frame["method"]] | frame))

    challenge, nothing = told.greeting()
    lines, example = (text["message"].split("\n") for text in (challenge, EXAMPLES["challenge"]))
    same = [line.partition(": ")[0] for line in example]
    assert [line.partition(": ")[0] for line in lines] == same
    assert shape(challenge) == shape(EXAMPLES["challenge"])
    assert nothing["placed_bets"] == []
    (refusal,) = ask(method="bets_selected")
    assert refusal == EXAMPLES["error"]

    message = challenge["message"].replace("0x" + "00" * 20, account.address)
    signature = "0x" + account.sign_message(encode_defunct(text=message)).signature.hex()
    signed_in, _ = ask(method="sign_in", message=message, signature=signature)
    assert shape(signed_in) == shape(EXAMPLES["signed_in"])
    (to_sign,) = ask(method="bets_selected")
    assert shape(to_sign) == shape(EXAMPLES["bets_to_sign"])
    typed = to_sign["bets"][0]
    assert [typed[name] for name in ("types", "primaryType")] == [
        EXAMPLES["bets_to_sign"]["bets"][0][name] for name in ("types", "primaryType")
    ]
    signed = Account.sign_message(encode_typed_data(full_message=typed), account.key).signature
    (accepted,) = ask(method="bets_signed", signatures=["0x" + signed.hex()])
    assert shape(accepted) == shape(EXAMPLES["bets_accepted"])
    assert accepted["nonces"] == [typed["message"]["nonce"]]
    node.step()
    node.step()
    state = told.state()
    assert state["confirmed_bets"][0]["bet_amount"] == 12.5
    wanted, found = shape(EXAMPLES["bets"]), shape(state)
    # The bet was listed meanwhile.
    assert found["open_bets"][0].pop("tx") == "str"
    assert wanted["open_bets"][0].pop("tx") == "NoneType"
    assert found == wanted
    assert state["balance_units"] == str(50 * EUR - 12_500_000)


def test_every_code_is_on_the_page():
    table = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))))
    sources = [Path(module.__file__).parent for module in (frames, player)][:1]
    text = "".join(file.read_text() for folder in sources for file in folder.glob("*.py"))
    used = set(re.findall(r'FrameError\(\s*"(\w+)"', text)) | set(re.findall(r'code = "(sign_in_failed)"', text))
    used |= set(re.findall(r'(?:_drop|_give_up|tell)\([\w.\[\]]+, "(\w+)"', text))
    used |= set(re.findall(r'code = None if .* else "(\w+)"', text)) | set(re.findall(r'return "(\w+)", f?"', text))
    assert {"deadline_over", "not_placed", "malformed", "no_bet", "sign_in_failed", "no_balance", "excluded"} <= used
    assert used <= table
