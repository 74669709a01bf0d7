"""The files of a new club: settings, the node's own key, a systemd unit, a Caddyfile."""

import json
import os
import secrets
import sys
from pathlib import Path

from eth_account import Account

from tessera.chain.errors import ChainError
from tessera.club.settings import settings_of

CONFIG, KEY, PASSPHRASE, UNIT, CADDY = "club.toml", "node.json", "node.txt", "club.service", "Caddyfile"


def new_key(folder: Path) -> str:
    """Makes the node's account, in an encrypted key file with its passphrase beside it, and says its address.

    An account that is there already stays. Raises ChainError where its passphrase is missing.
    """
    key, passphrase = folder / KEY, folder / PASSPHRASE
    if key.exists():
        if not passphrase.exists():
            raise ChainError(f"{key} is there and {passphrase} is not: put it back, or move the key away")
        return Account.from_key(Account.decrypt(key.read_text(), passphrase.read_text().strip())).address
    account = Account.create()
    if not passphrase.exists():  # or it was stopped before the key was written, which takes a second
        _write_secret(passphrase, secrets.token_urlsafe(24))
    _write_secret(key, json.dumps(account.encrypt(passphrase.read_text().strip())))
    return account.address


def drafted(folder: Path, *, name: str, url: str, rpc: str, record: Path, page: Path, budget: str, members: int) -> str:
    """What club.toml is to say in a folder. Nothing is written.

    Raises SettingsError where the values are none that a node takes; ChainError where there is a club.toml already.
    """
    config = folder / CONFIG
    if config.exists():
        raise ChainError(f"{config} is there already: edit it, or name another folder")
    values = {
        "name": name,
        "url": url.rstrip("/"),
        "rpc": rpc,
        "record": _relative(record, folder),
        "page": _relative(page, folder),
        "key_file": KEY,
        "passphrase_file": PASSPHRASE,
    }
    # A JSON string is a string of TOML.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    text = "\n".join([*lines, "", "[gas]", f"budget = {budget}", f"members = {members}", ""])
    settings_of(text, config)
    return text


def write_settings(folder: Path, text: str) -> tuple[Path, Path, Path]:
    """Writes club.toml, as it was `drafted`, club.service and Caddyfile into a folder; the files' paths."""
    config, unit, caddy = folder / CONFIG, folder / UNIT, folder / CADDY
    settings = settings_of(text, config)
    _write_secret(config, text)  # a node's URL has a key in it, as a rule, and a database's its password
    unit.write_text(_unit(folder.resolve(), settings.name), "utf-8")
    site = settings.domain if settings.is_secure else settings.url
    caddy.write_text(f"{site} {{\n\treverse_proxy {settings.listen}:{settings.port}\n}}\n", "utf-8")
    return config, unit, caddy


def _unit(folder: Path, name: str) -> str:
    command = _escaped(Path(sys.prefix) / "bin" / "tessera")
    home, config = _escaped(folder), _escaped(folder / CONFIG)
    label = "".join(letter for letter in name if letter.isalnum() or letter in " .-")
    return f"""[Unit]
Description=Tessera club: {label}
Wants=network-online.target
After=network-online.target

[Service]
User={os.environ.get("USER", "tessera")}
WorkingDirectory={home}
ExecStart="{command}" club serve --config "{config}"
Restart=always
RestartSec=2
LimitNOFILE=65536
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=strict
ReadWritePaths="{home}"

[Install]
WantedBy=multi-user.target
"""


def _escaped(path: Path) -> str:
    """A path as systemd reads it."""
    return str(path).replace("%", "%%")


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path.resolve(), folder.resolve())


def _write_secret(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
