"""`tessera club` for who runs one: invite, see, revoke."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tessera.cli.main import cli
from tessera.club.store import Store
from tests.unit.club.conftest import SETTINGS


@pytest.fixture
def tessera(tmp_path: Path):
    """`tessera(...)`: what the command prints; it needs neither chain nor key."""
    config = tmp_path / "club.toml"
    config.write_text(SETTINGS)

    def run(*arguments: str, exit_code: int = 0) -> str:
        done = CliRunner().invoke(cli, [*arguments, "--config", str(config)])
        assert done.exit_code == exit_code, done.output
        return done.output

    return run


def test_invitations_are_links_with_the_code_behind_the_hash(tessera, tmp_path):
    made = json.loads(tessera("--json", "club", "invite", "Anna", "--count", "2"))["invitations"]
    assert [invitation["name"] for invitation in made] == ["Anna", "", ""]
    assert all(invitation["link"].startswith("https://club.example/join#") for invitation in made)
    store = Store(f"sqlite:///{tmp_path}/club.db")
    code = made[0]["link"].partition("#")[2]
    assert store.redeem(code, "0x" + "11" * 20, 5).label == "Anna"
    store.engine.dispose()


def test_each_link_is_a_qr_code_too(tessera):
    text = tessera("club", "invite", "Anna")
    assert re.search(r"^1  Anna: https://club\.example/join#\w+", text, re.MULTILINE)
    assert "▄▄▄▄▄" in text
    assert "▄▄▄▄▄" not in tessera("club", "invite", "Anna", "--no-qr")


def test_refuses_to_invite_nobody(tessera):
    assert "say whom you invite" in tessera("club", "invite", exit_code=1)


def test_who_runs_it_sees_and_takes_back(tessera, tmp_path):
    tessera("club", "invite", "Anna", "Ben", "--no-qr")
    store = Store(f"sqlite:///{tmp_path}/club.db")
    anna = next(code for code in store.codes() if code.label == "Anna")
    rows = json.loads(tessera("--json", "club", "members"))
    assert {row["for"]: row["state"] for row in rows} == {"Anna": "waits", "Ben": "waits"}
    tessera("club", "revoke", anna.code.upper())
    rows = json.loads(tessera("--json", "club", "members"))
    assert {row["for"]: row["state"] for row in rows} == {"Anna": "revoked", "Ben": "waits"}
    assert "say more letters" in tessera("club", "revoke", "ab", exit_code=1)
    assert "0 invitations" in tessera("club", "revoke", "zzzz", exit_code=1)
    store.engine.dispose()


def test_a_dry_run_makes_no_link_takes_none_back_and_serves_nobody(tessera, tmp_path):
    # It did all of this: an account was marked as replaced, for good, by whoever only wanted to see which it would be.
    link = json.loads(tessera("--json", "club", "invite", "Anna"))["invitations"][0]["link"]
    store = Store(f"sqlite:///{tmp_path}/club.db")
    store.redeem(link.partition("#")[2], "0x" + "11" * 20, 5)
    [anna] = store.codes()
    answer = json.loads(tessera("--dry-run", "--json", "club", "invite", "Ben", "--count", "2"))
    assert answer == {"dry_run": True, "invitations": 3, "days": 14}
    answer = json.loads(tessera("--dry-run", "--json", "club", "revoke", anna.code))
    assert (answer["for"], answer["state"], answer["dry_run"]) == ("Anna", "in", True)
    assert "0 invitations" in tessera("--dry-run", "club", "revoke", "zzzz", exit_code=1)
    assert "has no dry run" in tessera("--dry-run", "club", "serve", exit_code=1)
    assert store.codes() == [anna]
    store.engine.dispose()
