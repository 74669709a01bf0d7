"""Say what happened in hosted bets, as a member of a panel: see docs/host.md.

\b
    ape run validator awaits --network ethereum:sepolia --account me
    ape run validator report BET_ID OUTCOME --network ethereum:sepolia --account me --passphrase-file FILE

`report --sign` prints a signature instead of sending; `submit` sends signatures of several members in one transaction.
--dry-run sends nothing.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from ape.api import ProviderAPI
from ape.cli import ConnectedProviderCommand
from ape.logging import LogLevel, logger
from web3 import Web3

from tessera.chain import ChainError, Deployment, Tessera
from tessera.chain.contract import address_of
from tessera.chain.deployments import history_of
from tessera.chain.errors import calling
from tessera.chain.panels import ReportSkipped, ascending
from tessera.deployment.ape_accounts import account_of, record_path, wallet_of
from tessera.deployment.artifacts import ROOT
from tessera.deployment.operators import Commands, passphrase_of
from tessera.host.questions import INVALID_NAME, Awaited, awaited, of_bet
from tessera.index import Index
from tessera.model.text import visible

FOLDER = ROOT / ".cache" / "validator"
FILE = click.Path(dir_okay=False, path_type=Path)

logger.set_level(LogLevel.ERROR)  # Ape tells of every connection and signature


def options(command):
    """Adds what every command of this group takes."""
    for option in (
        click.option("--index", "index_url", help="Of the event index. Default: SQLite in .cache/validator."),
        click.option("--record", type=FILE, help="Of the deployment. Default: deployments/<network>.json."),
        click.option("--passphrase-file", type=FILE, help="Whose first line unlocks the account."),
        click.option("--account", help="Alias of an Ape account, or TEST::n. Local networks: TEST::0."),
    ):
        command = option(command)
    return command


DRY_RUN = click.option("--dry-run", is_flag=True, help="Simulate; sign and send nothing.")


@click.group(cls=Commands, help=__doc__)
def cli():
    pass


@cli.command(cls=ConnectedProviderCommand)
@options
@click.option("--json", "as_json", is_flag=True)
def awaits(provider: ProviderAPI, account: str | None, as_json: bool, **chosen):
    """Show what awaits a report of the account. Unlocks and sends nothing."""
    tessera, index = opened(provider, **chosen)
    member = account_of(provider, account)
    now = provider.web3.eth.get_block("latest")["timestamp"]
    with index.snapshot() as snapshot:
        waiting = awaited(tessera, snapshot, member, now)
    if as_json:
        click.echo(json.dumps([as_mapping(due) for due in waiting], indent=2))
        return
    for due in waiting:
        deadline = datetime.fromtimestamp(due.question.deadline, UTC)
        words = [visible(text) for text in (due.listing.description, *due.listing.predictions)]  # of strangers
        click.echo(f"0x{due.bet_id.hex()}\n  {words[0]}: {', '.join(words[1:])}, {INVALID_NAME}")
        click.echo(f"  until {deadline:%Y-%m-%d %H:%M} UTC, else every stake goes back")
    click.echo(f"{len(waiting)} bets await a report of {member}.")


@cli.command(cls=ConnectedProviderCommand)
@options
@DRY_RUN
@click.option("--sign", "only_sign", is_flag=True, help="Print a signature, for `submit`, and send nothing.")
@click.argument("bet_id")
@click.argument("outcome")
def report(
    provider: ProviderAPI,
    account: str | None,
    passphrase_file: Path | None,
    dry_run: bool,
    only_sign: bool,
    bet_id: str,
    outcome: str,
    **chosen,
):
    """Report the OUTCOME of a bet: one of its predictions, or `invalid`. A report cannot be changed."""
    tessera, index = opened(provider, **chosen)
    with index.snapshot() as snapshot:
        asked = of_bet(tessera, snapshot, id_of(bet_id))
    number, panel_id = asked.outcome(outcome), asked.listing.panel_id
    if dry_run:
        member = account_of(provider, account)
        call = {"to": tessera.panels.address, "from": member}
        data = tessera.panels.calldata("report", panel_id, tuple(asked.question), number)
        simulate(provider, {**call, "data": data})
        click.echo(f"{member} can report {outcome}. Nothing was signed or sent.")
        return
    wallet = wallet_of(provider, account, passphrase_of(account, passphrase_file))
    if only_sign:
        if wallet.address not in tessera.panels.members_of(panel_id):
            raise ChainError(f"{wallet.address} is not on the bet's panel")
        r, vs = tessera.panels.sign(wallet.account, panel_id, asked.question, number)
        signed = {"bet_id": bet_id, "outcome": outcome, "member": wallet.address, "r": hex(r), "vs": hex(vs)}
        click.echo(json.dumps(signed, indent=2))
        return
    receipt = tessera.panels.report(wallet, panel_id, asked.question, number)
    click.echo(f"reported {outcome} in {receipt.transaction}")


@cli.command(cls=ConnectedProviderCommand)
@options
@DRY_RUN
@click.argument("files", nargs=-1, required=True, type=FILE)
def submit(
    provider: ProviderAPI,
    account: str | None,
    passphrase_file: Path | None,
    dry_run: bool,
    files: tuple[Path, ...],
    **chosen,
):
    """Send what members printed with `report --sign`, all of one bet and outcome, in one transaction. Anybody may."""
    tessera, index = opened(provider, **chosen)
    reports = [read_report(file) for file in files]
    (bet_id, outcome), *others = {(report["bet_id"], report["outcome"]) for report in reports}
    if others:
        raise ChainError("the files are of several bets or outcomes: submit those of each by themselves")
    with index.snapshot() as snapshot:
        asked = of_bet(tessera, snapshot, id_of(bet_id))
    number, panel_id = asked.outcome(outcome), asked.listing.panel_id
    signatures = [(int(report["r"], 16), int(report["vs"], 16)) for report in reports]
    if dry_run:
        batch = ([(tuple(asked.question), number, len(signatures))], signatures)
        data = tessera.panels.calldata("submit_reports", panel_id, *batch)
        simulate(provider, {"to": tessera.panels.address, "from": account_of(provider, account), "data": data})
        click.echo(f"{len(signatures)} reports of {outcome} can be submitted. Nothing was signed or sent.")
        return
    wallet = wallet_of(provider, account, passphrase_of(account, passphrase_file))
    receipt = tessera.panels.submit_reports(wallet, panel_id, asked.question, number, signatures)
    for row in receipt.events:
        if isinstance(row, ReportSkipped):
            click.echo(f"skipped: {row.signer}: {row.reason}", err=True)
    click.echo(f"submitted in {receipt.transaction}")


@cli.command(cls=ConnectedProviderCommand)
@options
@DRY_RUN
@click.option("--threshold", type=click.IntRange(1, 32), required=True, help="How many members decide: more than half.")
@click.argument("members", nargs=-1, required=True)
def create(
    provider: ProviderAPI,
    account: str | None,
    passphrase_file: Path | None,
    dry_run: bool,
    threshold: int,
    members: tuple[str, ...],
    **chosen,
):
    """Create a panel of these MEMBERS, for good. Anybody may; the number it prints goes into bets.ini."""
    tessera, _ = opened(provider, **chosen)
    in_order = ascending(map(address_of, members))
    data = tessera.panels.calldata("create_panel", in_order, threshold)
    call = {"to": tessera.panels.address, "from": account_of(provider, account), "data": data}
    panel_id = int.from_bytes(simulate(provider, call), "big")  # the hash of members and threshold
    if tessera.panels.threshold_of(panel_id):
        click.echo(f"panel {panel_id}\nIt was there before. Nothing was sent.")
    elif dry_run:
        click.echo(f"panel {panel_id}\nIt would be created. Nothing was signed or sent.")
    else:
        wallet = wallet_of(provider, account, passphrase_of(account, passphrase_file))
        tessera.panels.create_panel(wallet, in_order, threshold)
        click.echo(f"panel {panel_id}")


def opened(provider: ProviderAPI, record: Path | None, index_url: str | None, **_) -> tuple[Tessera, Index]:
    """The deployment of a network, and its events up to now. Raises ChainError."""
    deployment = Deployment.load(record or record_path(provider))
    tessera = Tessera(provider.web3, deployment)
    FOLDER.mkdir(parents=True, exist_ok=True)
    url = index_url or f"sqlite:///{FOLDER / f'index-{history_of(provider.web3, deployment)}.db'}"
    index = Index(url, provider.web3, deployment)
    index.sync()
    return tessera, index


def simulate(provider: ProviderAPI, call: Any) -> bytes:
    """What a call would return; nothing changes. Raises Reverted."""
    with calling("Panels"):
        return provider.web3.eth.call({**call, "data": Web3.to_hex(call["data"])}, "pending")


def id_of(text: str) -> bytes:
    """A bet's id from its hexadecimal form. Raises ChainError."""
    try:
        digest = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise ChainError(f"{text} is no bet's id: 0x and 64 hexadecimal digits")
    return digest


def read_report(path: Path) -> dict:
    """What `report --sign` printed. Raises ChainError."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(report[name]) for name in ("bet_id", "outcome", "member", "r", "vs")}
    except (OSError, ValueError, TypeError, KeyError):
        raise ChainError(f"{path} is no signed report: `report --sign` prints one") from None


def as_mapping(due: Awaited) -> dict:
    """A question as JSON."""
    return {
        "bet_id": f"0x{due.bet_id.hex()}",
        "description": due.listing.description,
        "outcomes": [*due.listing.predictions, INVALID_NAME],
        "deadline": due.question.deadline,
    }
