"""The runbook names only options, messages, metrics and exit codes that exist."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import keeper
from tessera.keeper.metrics import Metrics
from tessera.keeper.report import VERDICTS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text()
UNITS = sorted((ROOT / "docs" / "ops").glob("*.service"))
SOURCES = [
    *(path.read_text() for folder in ("tessera", "contracts") for path in (ROOT / folder).rglob("*.[pv]y")),
    (ROOT / "scripts" / "keeper.py").read_text(),
    # Ape's own words.
    "No node found",
]


def options(*commands):
    """Those of some commands, Ape's own among them."""
    return {"--network"} | {
        name for command in commands for one in keeper.cli.commands[command].params for name in one.opts
    }


def test_options_of_the_page_exist():
    page = re.sub(r"```sh.*?```", "", PAGE.split("## A month on a devnet")[0], flags=re.DOTALL)
    assert set(re.findall(r"(--[a-z][a-z-]+)", page)) - {"--help"} <= options(*keeper.cli.commands)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_the_units_start_what_exists(unit):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read_string(unit.read_text().replace("\\\n", " "))
    words = shlex.split(parser["Service"]["ExecStart"])
    assert words[1:3] == ["run", "keeper"]
    named = {word for word in words[4:] if word.startswith("--")}
    assert named <= options(words[3])
    assert words[words.index("--passphrase-file") + 1] == "${CREDENTIALS_DIRECTORY}/passphrase"
    assert "PASSPHRASE" not in parser["Service"]["Environment"]
    # What the service reads is made by the page's steps, and so are its user and its folder.
    made = " ".join(re.findall(r"```sh(.*?)```", PAGE.split("## Exit codes")[0], re.DOTALL))
    for setting in ("EnvironmentFile", "WorkingDirectory", "User"):
        assert parser["Service"][setting] in made, setting
    assert parser["Service"]["LoadCredential"].partition(":")[2] in made
    assert words[words.index("--network") + 1] == "${NETWORK}"
    assert "NETWORK=ethereum:sepolia:https://" in made


def test_the_options_of_the_pages_commands_exist():
    commands = re.findall(r"ape run keeper (\w+)([^\n]*)", PAGE)
    assert len(commands) > 8
    for command, arguments in commands:
        assert set(re.findall(r"(--[a-z][a-z-]+)", arguments)) <= options(command), command


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_units(tmp_path):
    for unit in (ROOT / "docs" / "ops").iterdir():
        # Where the checkout is on the operator's machine nothing is here.
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/tessera/.venv/bin/ape", "/bin/true"))
    units = sorted(path.name for path in tmp_path.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_messages_of_the_page_are_in_the_code():
    table = PAGE.split("## Messages")[1].split("##")[0]
    messages = [
        each for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for each in re.findall(r"`(.*?)`", row)
    ]
    assert len(messages) > 20
    code = re.sub(r'"\s*\n\s*f?"|\{[^{}"\']*(?:\{.*?\})?[^{}]*?\}', "", "\n".join(SOURCES))
    for message in messages:
        for part in filter(None, (piece.strip(" ,0x") for piece in message.split("…"))):
            assert part in code, f"{message!r}: {part!r}"


def test_metrics_of_the_page_exist():
    names = {
        sample.name
        for metric in _all_used(Metrics()).registry.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }
    assert set(re.findall(r"`(tessera_keeper_[a-z_]+)", PAGE)) == names


def _all_used(metrics: Metrics) -> Metrics:
    metrics.rounds.labels("done").inc()
    metrics.alarm.labels("late").set(0)
    return metrics


def test_exit_codes_of_the_page_are_those_of_a_round():
    codes = {int(code) for code in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)}
    assert codes == {1, 2, *VERDICTS}
