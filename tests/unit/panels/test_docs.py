"""The code of docs/panels.md signs what the contract takes."""

from tests.unit.conftest import ROOT


def test_the_page_signs_what_the_contract_takes(panels, evm, panel_id, question, signers):
    page = (ROOT / "docs" / "panels.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    exec(code, names := {})
    signatures = [
        names["sign_report"](account, panels.address, evm.patch.chain_id, panel_id, question, 4)
        for account in signers[:3]
    ]
    panels.submit_reports(panel_id, [(question, 4, len(signatures))], signatures)
    assert panels.result(panel_id, question.id) == (True, 4)


def test_the_page_has_every_reason(panels):
    reasons = {r for r in panels.compiler_data.source_code.split('"') if r.startswith("panels: ")}
    page = (ROOT / "docs" / "panels.md").read_text()
    assert len(reasons) == 11
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()
