"""Backup, restore and moving, by the lines of the guide (docs/club.md)."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.club.conftest import refusal

GUIDE = (Path(__file__).parents[3] / "docs" / "club.md").read_text()
BACKUP = re.search(r"^sqlite3 .*$", GUIDE, re.MULTILINE).group()

pytestmark = pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the guide's program is not here")


def restore(world):
    """As the guide says it: the copy in place of the database, and nothing beside it."""
    world.node.sender.stop()
    world.node.store.engine.dispose()
    shutil.copy(world.folder / "club-backup.db", world.folder / "club.db")
    for beside in ("club.db-wal", "club.db-shm"):
        (world.folder / beside).unlink(missing_ok=True)
    world.node = world.started()
    world.client.app.state.node = world.node


def test_a_copy_that_was_made_while_the_node_ran_is_a_club_again(world):
    first, [early] = world.member(), world.codes()
    subprocess.run(BACKUP, shell=True, cwd=world.folder, check=True)
    [late], second, third = world.codes(), world.phone(), world.phone()
    assert second.join(early).status_code == third.join(late).status_code == 200
    world.send_all()
    before = [world.balance(phone) for phone in (first, second, third)]
    restore(world)
    assert world.send_all() == 0  # nobody is invited or funded once more
    assert [world.balance(phone) for phone in (first, second, third)] == before
    assert first.state()["state"] == "joined"
    assert first.sign_in().status_code == 200
    assert world.node.store.given(0).keys() == {first.address}
    # It knows less, as the guide says: a code that was redeemed since lets in once more, and a new one is unknown.
    assert second.state()["state"] == "stranger"
    assert refusal(third.join(late)) == (404, "unknown_code")
    [waiting] = [code for code in world.node.store.codes() if code.account is None]
    world.node.store.revoke(waiting.code)
    assert refusal(world.phone().join(early)) == (410, "revoked_code")


def test_who_was_taken_out_since_the_copy_is_taken_out_again(world):
    assert "Who was taken out since the copy is in again" in GUIDE
    friend = world.member()
    subprocess.run(BACKUP, shell=True, cwd=world.folder, check=True)
    [member] = world.node.store.members()
    world.node.store.revoke(member.code)
    assert refusal(friend.sign_in()) == (403, "replaced_account")
    restore(world)
    assert friend.sign_in().status_code == 200
    world.node.store.revoke(member.code)
    assert refusal(friend.sign_in()) == (403, "replaced_account")


def test_moved_to_another_folder_nothing_is_sent_twice(world, tmp_path):
    friend, [code] = world.phone(), world.codes()
    friend.join(code)
    world.send_all()
    before = world.balance(friend)
    world.node.sender.stop()
    world.node.store.engine.dispose()
    there = tmp_path / "another machine"
    there.mkdir()
    for file in world.folder.glob("club.db*"):
        shutil.copy(file, there / file.name)
    shutil.copytree(world.folder / "page", there / "page")
    world.folder = there
    moved = world.started()
    moved.index.sync()
    assert world.send_all(moved) == 0
    assert world.balance(friend) == before
    world.client.app.state.node = moved
    assert friend.join(code).json()["state"] == "ready"


def test_without_the_database_members_stay_members_and_sign_in(world):
    friend = world.member()
    world.node.sender.stop()
    world.client.app.state.node = world.started(database="new")
    assert friend.state()["state"] == "joined"
    assert friend.sign_in().status_code == 200
    assert refusal(friend.gas()) == (403, "not_a_member")  # gas is for those whom it knows by a link
