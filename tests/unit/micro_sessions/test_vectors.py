"""The golden values of what is signed: model and contract give what eth-account gives, and tests/vectors holds it.

web/tests/signed.test.ts compares the same file with viem.
"""

import json

import pytest
from eth_utils import keccak

from tessera.model.sessions import record
from tests import session_vectors
from tests.panels import Question as Asked
from tests.panels import typed_report
from tests.session_vectors import DOMAIN, LINES, PATH, SIGNED, SIGNER, as_json, vectors
from tests.sessions import sign

VECTORS = json.loads(PATH.read_text())
CASES = {case["name"]: case for case in VECTORS["signed"]}
# What a caller of the contract can ask for; the others it hashes only to check a signature.
VIEWS = {"Offer": "hash_offer", "State": "hash_state", "Question": "hash_question", "Quote": "hash_quote"}


@pytest.fixture(scope="module")
def micro(load, coin_escrow, evm):
    """A MicroSessions at the vectors' address."""
    panels = load("Panels").deploy()
    return load("MicroSessions").deploy(coin_escrow, panels, 3_600, 86_400, override_address=DOMAIN.contract)


def words(case: dict) -> tuple:
    """A case's message as the contract takes it: without its session, which is an argument of its own."""

    def word(value):
        if isinstance(value, dict):
            return tuple(map(word, value.values()))
        if isinstance(value, list):
            return [word(item) for item in value]
        if isinstance(value, str) and value.startswith("0x"):
            return bytes.fromhex(value[2:])
        return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value

    return word({name: value for name, value in case["message"].items() if name != "session"})


def test_the_file_is_what_eth_account_says():
    assert vectors() == VECTORS


@pytest.mark.parametrize(("name", "value", "more"), SIGNED, ids=[name for name, _, _ in SIGNED])
def test_the_model_s_digests_and_short_signatures(name, value, more):
    case, digest = CASES[name], DOMAIN.digest(value, **more)
    assert as_json(digest) == case["digest"]
    assert [as_json(word) for word in sign(SIGNER, digest)] == [case["r"], case["vs"]]


@pytest.mark.parametrize("name", CASES)
def test_the_contract_s_digests_and_whose_signature_it_sees(micro, name):
    case = CASES[name]
    kind, arguments = case["type"], words(case)
    session = bytes.fromhex(case["message"].get("session", "0x")[2:])
    if kind in VIEWS:
        view = getattr(micro, VIEWS[kind])
        digest = view(session, arguments) if kind == "State" else view(arguments)
        assert as_json(bytes(digest)) == case["digest"]
    elif kind in ("Close", "Post", "Receipt"):
        asked = {
            "Close": "_close({session}, {net}, {activated}, {valid_until})",
            "Post": "_post({session}, {state}, {valid_until})",
            "Receipt": "_receipt({stream_id}, {state}, IMicroSessions.Receipt(n={n}, epoch={epoch}, head={head}, "
            "signature=IMicroSessions.Signature(r=0, vs=0)))",
        }[kind]
        digest = micro.eval("session_types." + asked.format(**case["message"]))
        assert as_json(bytes(digest)) == case["digest"]
    else:
        assert kind in ("Book", "Refusal")  # no call of the contract takes one
    signer = micro.eval(f"short_signature._signer({case['digest']}, {case['r']}, {case['vs']})")
    assert signer == SIGNER.address


@pytest.mark.parametrize("case", VECTORS["reports"], ids=lambda case: case["name"])
def test_reports_are_what_panels_takes(load, evm, case):
    asked = case["message"]
    question = Asked(
        asked["product"], bytes.fromhex(asked["key"][2:]), int(asked["not_before"]), int(asked["deadline"])
    )
    signable = typed_report(VECTORS["panels"], DOMAIN.chain_id, int(asked["panel_id"]), question, int(asked["outcome"]))
    assert as_json(keccak(b"\x19\x01" + signable.header + signable.body)) == case["digest"]
    # The panel whose only member is the signer; its number is signed, so the contract must know the digest by itself.
    panels = load("Panels").deploy(override_address=VECTORS["panels"])
    panel = panels.create_panel([SIGNER.address], 1)
    evm.patch.timestamp = question.not_before
    report = session_vectors.report(question.key, int(asked["outcome"]))
    report["message"]["panel_id"] = panel
    own = session_vectors.case("", report)
    panels.submit_reports(panel, [(question, int(asked["outcome"]), 1)], [(int(own["r"]), int(own["vs"]))])
    assert panels.result(panel, question.id) == (True, int(asked["outcome"]))


def test_heads_of_a_record():
    heads = [record.first_head(DOMAIN, 7), *record.heads(DOMAIN, 7, LINES)]
    assert as_json(heads) == VECTORS["record"]["heads"]


def test_the_key_of_a_book(micro):
    book = VECTORS["book"]
    key = micro.eval(f'keccak256(concat(b"book", {book["question"]}, {book["root"]}))')
    assert as_json(bytes(key)) == book["key"]


def test_another_chain_or_contract_is_another_digest(micro, load, coin_escrow, evm):
    case = CASES["the empty state"]
    session, arguments = bytes.fromhex(case["message"]["session"][2:]), words(case)
    other = load("MicroSessions").deploy(coin_escrow, load("Panels").deploy(), 3_600, 86_400)
    evm.patch.chain_id = 1
    digests = {as_json(bytes(one.hash_state(session, arguments))) for one in (micro, other)}
    assert len(digests) == 2
    assert case["digest"] not in digests
    evm.patch.chain_id = 31_337
    assert as_json(bytes(micro.hash_state(session, arguments))) == case["digest"]
