"""The files of a new club."""

import configparser
import getpass
import shutil
import subprocess

import pytest

from tessera.chain.accounts import from_key_file, secret_of
from tessera.chain.errors import ChainError
from tessera.club.settings import SettingsError, read_settings
from tessera.club.setup import drafted, new_key, write_settings
from tessera.club.store import Store, StoreError
from tests.quick_keys import quick_keys  # noqa: F401

VALUES = {"url": "https://club.example", "rpc": "https://rpc.example", "budget": "0.01", "members": 12}


pytestmark = pytest.mark.usefixtures("quick_keys")


def written(folder, **changes):
    values = {"name": "Friday club", "record": folder / "r.json", "page": folder / "p", **VALUES, **changes}
    return write_settings(folder, drafted(folder, **values))


def test_the_files_are_what_the_node_takes(tmp_path):
    config, unit, caddy = written(tmp_path, name='Ann\'s "club" Ω')
    settings = read_settings(config)
    assert settings.name == 'Ann\'s "club" Ω'
    assert (settings.record, settings.page) == (tmp_path / "r.json", tmp_path / "p")
    assert settings.gas.quota == 10**16 // 12
    service = configparser.ConfigParser(interpolation=None, strict=False)
    service.read(unit)
    assert service["Service"]["ExecStart"].endswith(f'tessera" club serve --config "{config}"')
    assert service["Service"]["Restart"] == "always"
    assert caddy.read_text() == "club.example {\n\treverse_proxy 127.0.0.1:8080\n}\n"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_unit(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "tessera"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    # It named /usr/local/bin/tessera, which is not there, where the environment was not activated.
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setenv("USER", getpass.getuser())
    _, unit, _ = written(tmp_path, name='Ann\'s 100 % "club"')
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    # Other units of the machine may be faulty.
    faults = [line for line in done.stderr.splitlines() if unit.name in line or "rror" in line]
    assert (done.returncode, faults) == (0, []), done.stderr


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://club.example", "club.example"),
        ("https://club.example:8443", "club.example:8443"),
        ("http://192.0.2.7:8000", "http://192.0.2.7:8000"),  # or Caddy would make a certificate for it
    ],
)
def test_the_proxys_file_names_the_site_as_caddy_reads_it(tmp_path, url, site):
    """Compared as text; tests/integration/test_club.py has Caddy itself read it, where there is one."""
    _, _, caddy = written(tmp_path, url=url)
    assert caddy.read_text() == f"{site} {{\n\treverse_proxy 127.0.0.1:8080\n}}\n"


def test_a_club_that_is_there_is_not_written_over(tmp_path):
    config, *_ = written(tmp_path)
    before = config.read_text()
    with pytest.raises(ChainError, match="is there already"):
        written(tmp_path, name="Another club")
    assert config.read_text() == before


@pytest.mark.parametrize("changes", [{"url": "club.example"}, {"budget": "-1"}, {"members": 0}, {"name": ""}])
def test_values_that_no_node_takes_leave_no_file(tmp_path, changes):
    with pytest.raises(SettingsError):
        written(tmp_path, **changes)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_was_not_written_to_the_end_is_made_when_it_is_said_again(tmp_path, monkeypatch):
    with monkeypatch.context() as stopped:
        stopped.setattr("tessera.club.setup.json.dumps", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            new_key(tmp_path)
    address = new_key(tmp_path)
    assert from_key_file(tmp_path / "node.json", secret_of(tmp_path / "node.txt")).address == address


def test_the_nodes_key_is_encrypted_kept_and_nobody_elses_to_read(tmp_path):
    address = new_key(tmp_path)
    assert from_key_file(tmp_path / "node.json", secret_of(tmp_path / "node.txt")).address == address
    assert [path.stat().st_mode & 0o077 for path in tmp_path.iterdir()] == [0, 0]
    assert new_key(tmp_path) == address
    (tmp_path / "node.txt").unlink()
    with pytest.raises(ChainError, match="put it back"):
        new_key(tmp_path)


def test_settings_and_database_are_nobody_elses_to_read(tmp_path):
    # Names are for members alone, and a node's URL has its key in it: whoever had an account on the machine read both.
    config, *_ = written(tmp_path, name="Ω")
    store = Store(f"sqlite:///{tmp_path}/club.db")
    store.make_codes(["Anna"], days=1)
    secret = {path.name for path in tmp_path.iterdir() if not path.stat().st_mode & 0o077}
    assert secret == {"club.toml", "club.db", "club.db-wal", "club.db-shm"}
    assert read_settings(config).name == "Ω"
    store.engine.dispose()


def test_a_database_in_no_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match="cannot be used"):
        Store(f"sqlite:///{tmp_path}/none/club.db")
