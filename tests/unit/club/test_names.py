"""Names: signed, one script, one for each who looks like it."""

import time
import unicodedata

import pytest

from tessera.chain import Wallet
from tessera.chain.embedded import known_account
from tessera.club.names import name_of
from tessera.club.refusals import RefusedError
from tessera.deployment.artifacts import ROOT, compiled_file
from tests.unit.club.conftest import refusal

GOOD = [
    "Youri",
    "Nora",
    "Norefer",
    "Anna",
    "Jose\u0301",
    "Иван",
    "日本語ひらがな",
    "한국어",
    "עברית",
    "Anna Maria",
    "O'Neil-Smith Jr.",
    "Λίνα 2",
    "Oxana",
    "Oxlade",
    "Oxford 2",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_name_is_kept_in_its_normal_form(text):
    assert name_of(f"  {text} ").text == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 to 24"),
        ("   ", "1 to 24"),
        ("x" * 25, "25 characters"),
        ("Anna\u200b", "invisible"),
        ("Anna\u202e", "direction"),
        ("An\x00na", "invisible"),
        ("An\nna", "invisible"),
        ("\u0410nna", "one script"),  # a Cyrillic A
        ("Anna \u0663", "one script|one"),  # an Arabic digit
        ("🎉Anna", "letters, digits"),
        ("<b>Anna", "letters, digits"),
        ("12345", "one letter"),
        ("0xAnna", "0x"),
        ("Ox1234…cd34", "0x"),  # as the page shows an account without a name, with a large O
        ("0\u04451234…5678", "0x"),  # with a Cyrillic x
        ("ox l2 ab", "0x"),
        ("OxabO1…feed", "0x"),
        ("a\u0301\u0301", "one script"),  # an accent twice
        ("You", "page's own"),
        ("y.o.u", "page's own"),
        ("the Referee", "page's own"),
        ("RefeRee", "page's own"),
        ("N0", "page's own"),
        ("Adrnin", "page's own"),
        ("Νο", "page's own"),  # all Greek
    ],
)
def test_refuses_what_is_no_name(text, why):
    with pytest.raises(RefusedError, match=why) as refused:
        name_of(text)
    assert refused.value.code == "bad_name"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Anna", "ANNA"),
        ("Anna", "An na"),
        ("Anna", "A.n-n_a"),
        ("Ali", "AIi"),  # a large I for a small L
        ("max", "rnax"),
        ("paul", "PAuI"),
        ("Bob", "B0b"),
        ("Strasse", "Straße"),
        ("aca", "\u0430\u0441\u0430"),  # all Cyrillic
        ("Anna", "Ａｎｎａ"),  # full width
    ],
)
def test_names_that_look_alike_are_one(first, second):
    assert set(name_of(first).keys) & set(name_of(second).keys)


@pytest.mark.parametrize(("first", "second"), [("Anna", "Anne"), ("Max", "Mox"), ("Ben", "Ken"), ("Иван", "Ирина")])
def test_names_that_do_not_look_alike_are_two(first, second):
    assert not set(name_of(first).keys) & set(name_of(second).keys)


def test_a_member_says_what_to_be_called_and_members_see_it(world):
    anna, ben = world.member(), world.member()
    answer = world.name(anna, " Anna  Maria ")
    assert answer.json()["name"] == "Anna Maria"
    assert refusal(world.client.get("/club/names")) == (401, "no_session")
    assert ben.sign_in().status_code == 200
    answer = world.client.get("/club/names")
    assert [(name["account"], name["name"], name["replaced"]) for name in answer.json()["names"]] == [
        (anna.address, "Anna Maria", False)
    ]
    again = world.client.get("/club/names", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_refuses_a_name_that_looks_like_anothers(world):
    anna, ben = world.member(), world.member()
    assert world.name(anna, "Ali").status_code == 200
    assert refusal(world.name(ben, "AIi")) == (409, "name_taken")
    assert world.name(ben, "Ben").status_code == 200
    # A name that was given up is free.
    now = int(time.time())
    assert world.name(anna, "Anna", issued_at=now + 1).status_code == 200
    assert world.name(ben, "Ali", issued_at=now + 1).status_code == 200


def test_refuses_what_the_account_did_not_sign(world):
    anna, ben = world.member(), world.member()
    assert refusal(world.name(anna, "Ben", signer=ben)) == (403, "bad_signature")
    now = int(time.time())
    assert world.name(anna, "Anna", issued_at=now).status_code == 200
    assert world.name(anna, "Anna", issued_at=now).status_code == 200  # the same statement once more
    assert refusal(world.name(anna, "Old", issued_at=now - 1)) == (409, "old_name")
    assert refusal(world.name(anna, "Ahead", issued_at=now + 3_600)) == (422, "bad_time")
    assert [name.name for name in world.node.store.names()] == ["Anna"]


@pytest.fixture
def wallet(world):
    """A contract's account whose owner's key signs for it, a member of the club, and that owner."""
    owner = world.phone()
    made = compiled_file(ROOT / "tests" / "mocks" / "Wallet1271.vy")
    sent = world.web3.eth.contract(abi=made.abi, bytecode=made.initcode).constructor(owner.address)
    receipt = world.web3.eth.wait_for_transaction_receipt(sent.transact({"from": known_account(0).address}))
    wallet = world.phone()
    wallet.address = receipt["contractAddress"]
    contract = world.web3.eth.contract(address=wallet.address, abi=made.abi)
    world.tessera.play_euro.invite(Wallet(world.web3, known_account(0)), [wallet.address])
    join = world.tessera.play_euro.calldata("join", 1)
    contract.functions.execute(world.tessera.play_euro.address, join).transact({"from": known_account(0).address})
    world.node.index.sync()
    return wallet, owner


def test_a_contracts_account_signs_in_and_is_called_by_a_name_as_its_code_says(world, wallet):
    wallet, owner = wallet
    assert refusal(wallet.sign_in()) == (403, "bad_signature")  # by another key than its owner's
    wallet.account = owner.account
    assert wallet.sign_in().json()["account"] == wallet.address
    assert world.client.get("/club/session").json()["account"] == wallet.address
    assert refusal(world.name(wallet, "Safe", signer=world.phone())) == (403, "bad_signature")
    assert world.name(wallet, "Safe", signer=owner).json()["name"] == "Safe"
    # The owner's own account is another one, and no member.
    assert refusal(owner.sign_in()) == (403, "not_a_member")
    assert refusal(world.name(owner, "Owen", signer=owner)) == (403, "not_a_member")


def test_code_that_says_yes_in_its_own_way_signs_for_nobody(world):
    """A contract that answers anything else, and one that has no such function: the markets' own."""
    markets, phone = world.phone(), world.phone()
    markets.address = world.tessera.markets.address
    assert refusal(markets.sign_in()) == (403, "bad_signature")
    assert refusal(world.name(markets, "Mark", signer=phone)) == (403, "bad_signature")


def test_names_are_for_members(world):
    assert refusal(world.name(world.phone(), "Anna")) == (403, "not_a_member")
    assert world.node.store.names() == []


def test_a_replaced_account_keeps_its_name_beside_its_bets_and_gets_no_other(world):
    anna, ben = world.member(), world.member()
    world.name(anna, "Anna")
    world.node.store.revoke(
        next(member.code for member in world.node.store.members() if member.account == anna.address)
    )
    assert refusal(world.name(anna, "Nina", issued_at=int(time.time()) + 1)) == (403, "replaced_account")
    ben.sign_in()
    [name] = world.client.get("/club/names").json()["names"]
    assert (name["name"], name["replaced"]) == ("Anna", True)
