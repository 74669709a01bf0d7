"""Panels against a plain model of it: panels of every size, any mix of transactions and batches, moving time."""

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.chain.panels import INVALID
from tests.logs import event, events
from tests.panels import LAST_OUTCOME, Question, accounts, sign
from tests.prize_system import load

START = 2_000_000_000
PRODUCT = "0x" + "9A" * 20
ACCOUNTS = accounts(33)
QUESTIONS = [Question(PRODUCT, b"1" * 32, START, START + 100), Question(PRODUCT, b"2" * 32, START + 10, START + 60)]


class Model:
    """What members of one panel said, in a dict per question."""

    def __init__(self, members: list, threshold: int):
        self.members, self.threshold = members, threshold
        self.said = {question: {} for question in QUESTIONS}
        self.deciding = dict.fromkeys(QUESTIONS, ())

    def refusal(self, now: int, question: Question, member: str, outcome: int) -> str:
        """Records a report, or says why it does not count."""
        said = self.said[question]
        if member not in self.members:
            return "panels: not a member"
        if member in said:
            return "panels: already reported" if said[member] == outcome else "panels: reported otherwise"
        if self.deciding[question]:
            return "panels: already final"
        if not question.not_before <= now <= question.deadline:
            return "panels: too early" if now < question.not_before else "panels: too late"
        said[member] = outcome
        agreeing = [m for m in self.members if said.get(m) == outcome]
        if len(agreeing) == self.threshold:
            self.deciding[question] = agreeing
        return ""


@pytest.fixture(scope="module")  # Ape mixes up fixtures of one name and two scopes: not `panels`
def contract():
    return load("contracts/Panels.vy").deploy()


@st.composite
def plays(draw):
    """The size of a panel, its threshold, and what happens: a wait, or reports of some accounts."""
    size = draw(st.integers(1, 32))
    threshold = draw(st.integers(size // 2 + 1, size))
    # Mostly one outcome and many of the members, so that many questions are decided; account `size` is a stranger.
    outcome = st.sampled_from([1, 1, 1, 0, LAST_OUTCOME, LAST_OUTCOME + 1, INVALID])
    signers = st.builds(
        lambda order, share, again: (order + again)[: share * (size + 1) // 4 + 1],
        st.permutations(range(size + 1)),
        st.sampled_from([4, 4, 3, 2, 0]),
        st.lists(st.integers(0, size), max_size=1),
    )
    step = st.one_of(
        st.tuples(st.just("submit"), st.lists(st.tuples(st.sampled_from(QUESTIONS), outcome, signers), max_size=3)),
        st.tuples(st.just("report"), st.tuples(st.sampled_from(QUESTIONS), outcome, st.integers(0, size))),
        st.tuples(st.just("wait"), st.integers(1, 40)),
    )
    return size, threshold, draw(st.lists(step, min_size=2, max_size=12))


def logs_of(panels, panel_id: int, question: Question, fate: list, decided: bool) -> list:
    """What one report logs: `fate` is (index, member, outcome, reason, what it had reported) of each signature."""
    common = {"panel_id": panel_id, "question_id": question.id}
    logs = []
    for index, member, outcome, reason, before in fate:
        if reason:
            logs.append(event(panels, "ReportSkipped", **common, signer=member, index=index, reason=reason))
        if reason == "panels: reported otherwise":
            logs.append(event(panels, "Equivocated", **common, member=member, reported=before, signed=outcome))
    if counted := [f for f in fate if not f[3]]:
        name = "OutcomeDecided" if decided else "OutcomeReported"
        logs.append(event(panels, name, **common, outcome=counted[0][2], members=[f[1] for f in counted]))
    return logs


@given(plays())
@settings(max_examples=60)
def test_panels_do_what_the_model_does(contract, play):
    size, threshold, steps = play
    members = [account.address for account in ACCOUNTS[:size]]
    panel_id, model = contract.create_panel(members, threshold), Model(members, threshold)
    chain_id, now = boa.env.evm.patch.chain_id, START
    boa.env.timestamp = now
    for kind, what in steps:
        if kind == "wait":
            now += what
            boa.env.timestamp = now
            continue
        if kind == "report":
            question, outcome, who = what
            counts_as = outcome if outcome <= LAST_OUTCOME else INVALID
            address = ACCOUNTS[who].address
            reason = model.refusal(now, question, address, counts_as)
            if reason:
                with boa.reverts(reason):
                    contract.report(panel_id, question, outcome, sender=address)
                continue
            contract.report(panel_id, question, outcome, sender=address)
            fate = [(0, address, counts_as, "", None)]
            assert events(contract) == logs_of(contract, panel_id, question, fate, bool(model.deciding[question]))
        else:
            signatures, expected = [], []
            reports = what if sum(len(who) for _, _, who in what) <= 48 else what[:1]
            for question, outcome, signers in reports:
                counts_as = outcome if outcome <= LAST_OUTCOME else INVALID
                fate = []
                for who in signers:
                    account = ACCOUNTS[who]
                    before = model.said[question].get(account.address)
                    reason = model.refusal(now, question, account.address, counts_as)
                    fate.append((len(signatures), account.address, counts_as, reason, before))
                    signatures.append(sign(account, contract.address, chain_id, panel_id, question, outcome))
                expected += logs_of(contract, panel_id, question, fate, bool(model.deciding[question]))
            contract.submit_reports(panel_id, [(q, o, len(who)) for q, o, who in reports], signatures)
            assert events(contract) == expected
    for question in QUESTIONS:
        said, deciding = model.said[question], model.deciding[question]
        assert contract.result(panel_id, question.id) == (bool(deciding), said[deciding[0]] if deciding else 0)
        assert contract.deciding_members(panel_id, question.id) == list(deciding)
        assert len(deciding) in (0, threshold)
        for account in ACCOUNTS[: size + 1]:
            expected = (account.address in said, said.get(account.address, 0))
            assert contract.report_of(panel_id, question.id, account.address) == expected
