"""Sessions: an account proves itself by a text of this club's."""

import re
import time

import pytest
from fastapi.testclient import TestClient

from tessera.chain.embedded import known_account
from tessera.club.app import app_of
from tests.unit.club.conftest import URL, refusal


def open_with(world, text: str, signature: str):
    return world.client.post("/club/session", json={"text": text, "signature": signature})


def challenge(world, phone) -> str:
    return world.client.get("/club/challenge", params={"account": phone.address}).json()["text"]


def test_a_member_signs_in_and_out(world):
    phone = world.member()
    assert refusal(world.client.get("/club/session")) == (401, "no_session")
    answer = phone.sign_in()
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Secure", "Path=/"))
    assert world.client.get("/club/session").json()["account"] == phone.address
    assert world.client.delete("/club/session").status_code == 204
    assert refusal(world.client.get("/club/session")) == (401, "no_session")


def test_two_clubs_on_one_host_leave_each_others_sessions_alone(world):
    # A browser sends a cookie to all ports of a host: whoever opened the one club was signed out of the other.
    names = set()
    phone = world.member()
    for url in (URL, f"{URL}:8443", "http://[::1]", "http://[::1]:8080"):
        client = TestClient(app_of(world.started(url=url)), base_url=url)
        text = client.get("/club/challenge", params={"account": phone.address}).json()["text"]
        answer = client.post("/club/session", json={"text": text, "signature": phone.signed(text)})
        [(name, token)] = answer.cookies.items()
        names.add((url, name))
        client.cookies.clear()
        assert refusal(client.get("/club/session")) == (401, "no_session")
        answer = client.get("/club/session", headers={"Cookie": f"tessera_club_1=another's; {name}={token}"})
        assert answer.json()["account"] == phone.address
    assert names == {
        (URL, "tessera_club"),
        (f"{URL}:8443", "tessera_club_8443"),
        ("http://[::1]", "tessera_club"),
        ("http://[::1]:8080", "tessera_club_8080"),
    }


def test_only_hashes_of_tokens_are_stored(world):
    phone = world.member()
    token = phone.sign_in().cookies["tessera_club"]
    assert token.encode() not in b"".join(path.read_bytes() for path in world.folder.glob("club.db*"))


def test_refuses_a_stranger_and_a_replaced_account(world):
    stranger, lost = world.phone(), world.member()
    assert refusal(stranger.sign_in()) == (403, "not_a_member")
    assert lost.sign_in().status_code == 200
    world.node.store.revoke(world.node.store.members()[0].code)
    assert refusal(world.client.get("/club/session")) == (401, "no_session")
    assert refusal(lost.sign_in()) == (403, "replaced_account")


def test_who_joined_without_a_code_is_a_member(world, bettor):
    account = known_account(2)
    assert account.address == bettor.address
    phone = world.phone()
    phone.account, phone.address = account, account.address
    assert phone.sign_in().status_code == 200


def test_refuses_a_text_that_is_not_this_clubs_or_anothers_or_too_old(world, monkeypatch):
    phone, other = world.member(), world.member()
    text = challenge(world, phone)
    assert refusal(open_with(world, text, other.signed(text))) == (403, "bad_signature")
    assert refusal(open_with(world, text, "0x" + "00" * 65)) == (403, "bad_signature")
    for changed in (
        text.replace("club.example", "evil.example"),
        text.replace("Chain ID: 1337", "Chain ID: 1"),
        text.replace(phone.address, other.address),
        text + "\n",
        "Sign in",
        # In UTC before the first year and after the last: the node failed, with a page of its log for each.
        re.sub("Issued At: .*", "Issued At: 0001-01-01T00:00:00+14:00", text),
        re.sub("Issued At: .*", "Issued At: 9999-12-31T23:59:59Z", text),
    ):
        assert refusal(open_with(world, changed, phone.signed(changed))) == (403, "bad_challenge")
    later = time.time() + 601
    monkeypatch.setattr("tessera.club.sign_in.time.time", lambda: later)
    assert refusal(open_with(world, text, phone.signed(text))) == (403, "bad_challenge")


def test_another_node_of_the_club_takes_the_text(world):
    phone = world.member()
    text = challenge(world, phone)
    world.client.app.state.node = world.started()
    assert open_with(world, text, phone.signed(text)).status_code == 200


@pytest.mark.parametrize("when", ["before it is opened", "after it was opened"])
def test_a_session_that_is_opened_while_its_account_is_replaced_is_nobodys(world, monkeypatch, when):
    # The check that it is a member's came first; what was opened after `revoke` stayed open for 30 days.
    lost, store = world.member(), world.node.store
    code, opening = store.members()[0].code, store.open_session

    def open_session(account: str, *, seconds: int):
        if when == "before it is opened":
            store.revoke(code)
        opened = opening(account, seconds=seconds)
        if when == "after it was opened":
            store.revoke(code)
        return opened

    monkeypatch.setattr(store, "open_session", open_session)
    assert lost.sign_in().status_code == 200
    assert refusal(world.client.get("/club/session")) == (401, "no_session")
    assert refusal(world.client.get("/club/names")) == (401, "no_session")
    assert refusal(world.client.post("/club/turns", json={"market_id": 1})) == (401, "no_session")
    assert refusal(lost.sign_in()) == (403, "replaced_account")


def test_one_signature_opens_no_more_sessions_than_an_account_has_room_for(world, monkeypatch):
    # Each request with it was a row for a month: fifty a second, which others' sign-ins were searched through.
    monkeypatch.setattr("tessera.club.store.MOST_SESSIONS", 3)
    store, phone, friend = world.node.store, world.member(), world.member()
    kept = friend.sign_in().cookies["tessera_club"]
    clock = [time.time()]
    monkeypatch.setattr("tessera.club.store.time.time", lambda: clock[0])
    text = challenge(world, phone)
    signature, tokens = phone.signed(text), []
    for _ in range(8):
        clock[0] += 1
        tokens.append(open_with(world, text, signature).cookies["tessera_club"])
    assert [store.session(token) is not None for token in tokens] == [False] * 5 + [True] * 3
    assert store.session(kept) is not None
