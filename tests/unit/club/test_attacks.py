"""What each attacker gets who is named in docs/club.md, and is tried nowhere else: never a member's balance."""

import re

import pytest

from tessera.chain import Wallet
from tessera.chain.embedded import known_account
from tessera.chain.errors import Reverted
from tests.unit.club.conftest import ETHER, NODE, refusal

WELCOME = 50 * 10**6


def test_a_stolen_key_gets_the_nodes_ether_and_the_right_to_invite_until_it_is_taken_away(world, owner):
    friend, mule, late = world.member(), world.phone(), world.phone()
    euro, escrow, thief = world.tessera.play_euro, world.tessera.escrow, Wallet(world.web3, known_account(NODE))
    for contract, function, *arguments in (
        (euro, "set_inviter", mule.address, True),
        (euro, "transfer_ownership", mule.address),
        (euro, "set_escrow", escrow.address),
        (euro, "transfer", mule.address, 1),
        (euro, "transferFrom", friend.address, mule.address, 1),
        (euro, "join", 1),
        (escrow, "collect", friend.address, b"\0" * 32, 1, 0),
        (escrow, "withdraw", 1, mule.address),
        (escrow, "register_product", mule.address),
        (escrow, "transfer_ownership", mule.address),
    ):
        with pytest.raises(Reverted):
            contract.write(thief, function, *arguments)
    # What it does get: the ether, and whoever it invites has a welcome and a vote.
    money = thief.balance()
    thief.send({"to": mule.address, "value": money - ETHER}, "theft")
    assert world.balance(mule) == money - ETHER
    euro.invite(thief, [mule.address])
    world.enter(mule)
    assert escrow.balance_of(mule.address) == WELCOME
    euro.set_inviter(owner, thief.address, False)
    with pytest.raises(Reverted, match="not an inviter"):
        euro.invite(thief, [late.address])
    # The key signs nobody in, and gives nobody a name.
    as_node = world.phone()
    as_node.account, as_node.address = thief.account, thief.address
    assert refusal(as_node.sign_in()) == (403, "not_a_member")
    assert refusal(world.name(as_node, "Anna")) == (403, "not_a_member")
    assert escrow.balance_of(friend.address) == WELCOME
    assert friend.sign_in().status_code == 200


def test_a_bot_that_opens_every_link_of_a_chat_uses_nothing_up(world, market):
    """Previews ask by GET and HEAD; a code is behind the hash, and redeemed by a POST that a person's tap sends."""
    world.node.index.sync()
    [code] = world.codes()
    link = world.node.settings.invitation_link(code)
    seen_by_a_server = link.partition("#")[0]
    assert code not in seen_by_a_server
    account = world.phone().address
    paths = [
        re.sub(r"{(\w+)}", lambda name: {"path": "index.html", "account": account}.get(name[1], str(market)), path)
        for path, methods in world.client.app.openapi()["paths"].items()
        if "get" in methods and path != "/events"
    ]
    assert {"/join", f"/m/{market}", f"/m/{market}.png", "/club"} <= set(paths)
    # A bot that takes the hash for a part of the address gets no further.
    paths += [f"/join/{code}", f"/join?code={code}", f"/club/join?code={code}", f"/join%23{code}"]
    for path in paths:
        for method in ("GET", "HEAD"):
            assert world.client.request(method, path).status_code < 500
    assert [invitation.account for invitation in world.node.store.codes()] == [None]
    assert world.send_all() == 0
    assert world.phone().join(code).status_code == 200
