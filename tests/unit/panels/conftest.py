"""A panel of five of whom three decide, a question that is open now, and what signs and submits reports about it."""

import pytest

from tests.logs import event
from tests.panels import Question, accounts, sign
from tests.unit.conftest import HOUR, NOW


@pytest.fixture(scope="session")
def panels(load):
    return load("Panels").deploy()


@pytest.fixture(scope="session")
def signers():
    """The members of the panel, ascending, as accounts that sign."""
    return accounts(5)


@pytest.fixture(scope="session")
def reporters(signers):
    """Their addresses."""
    return [signer.address for signer in signers]


@pytest.fixture(scope="session")
def panel_id(panels, reporters):
    """Three of five."""
    return panels.create_panel(reporters, 3)


@pytest.fixture(scope="session")
def product():
    """Who asks: any address."""
    return "0x" + "9A" * 20


@pytest.fixture(scope="session")
def question(product):
    """Open for an hour from now on."""
    return Question(product, b"who won?".ljust(32, b"\0"), NOW, NOW + HOUR)


@pytest.fixture(scope="session")
def other_question(product):
    return Question(product, b"and who lost?".ljust(32, b"\0"), NOW, NOW + HOUR)


@pytest.fixture(scope="session")
def signed(evm, panels, panel_id):
    """Returns what signs a report: signed(account, question, outcome), or for another panel, contract or chain."""

    def signed(account, question, outcome, panel_id=panel_id, contract=panels.address, chain_id=None):
        return sign(account, contract, chain_id or evm.patch.chain_id, panel_id, question, outcome)

    return signed


@pytest.fixture(scope="session")
def reported(panels, panel_id):
    """Returns the event of reports that were recorded and did not decide."""

    def reported(question, outcome, *members, name="OutcomeReported"):
        return event(panels, name, panel_id=panel_id, question_id=question.id, outcome=outcome, members=list(members))

    return reported


@pytest.fixture(scope="session")
def decided(reported):
    """Returns the event of reports of which the last decided."""

    def decided(question, outcome, *members):
        return reported(question, outcome, *members, name="OutcomeDecided")

    return decided


@pytest.fixture(scope="session")
def skipped(panels, panel_id):
    """Returns the event of a signature that did not count."""

    def skipped(question, signer, index, reason):
        return event(
            panels,
            "ReportSkipped",
            panel_id=panel_id,
            question_id=question.id,
            signer=signer,
            index=index,
            reason=reason,
        )

    return skipped
