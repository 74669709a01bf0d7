"""What a round did, for people and machines: a table, a JSON file, and a picture."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tessera.chain import ChainError
from tessera.chain.erc20 import Token
from tessera.keeper.money_flow import MoneyFlow, money_flow
from tessera.keeper.picture import svg
from tessera.keeper.round import Round
from tessera.keeper.steps.base import Status
from tessera.keeper.steps.close import Close
from tessera.keeper.view import View
from tessera.model.text import visible

GOOD, BAD = (Status.DONE, Status.OTHERS), (Status.UNDONE,)
VERDICTS = {
    0: "all that was due is done",
    3: "something was left undone",
    4: "all is done but for winners whom the token refuses",
}


def flow_of(view: View, done: Round) -> MoneyFlow | None:
    """The money of the weeks that a round found closed at its end; None where there are none, or the node fails."""
    closed = [end.step for end in done.outcomes if isinstance(end.step, Close) and end.status in GOOD]
    if not closed:
        return None
    try:
        view.history.sync()
        return money_flow(view, closed[0].first, closed[0].running - 1)
    except ChainError:
        return None


def of(view: View, done: Round) -> dict:
    """A round's report: what it did, and the money of the weeks that it closed."""
    money = flow_of(view, done)
    return as_mapping(done, money, view.prize_token if money else None)


def as_mapping(done: Round, money: MoneyFlow | None, token: Token | None) -> dict:
    """A round as JSON has it: amounts in the smallest unit, fees in wei."""
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "account": done.account,
        "exit_code": done.exit_code,
        "verdict": VERDICTS[done.exit_code],
        "gas_used": done.gas_used,
        "fees_wei": done.fees,
        "plan": done.plan.as_mapping(),
        "steps": [
            {
                "key": outcome.step.key,
                "what": outcome.step.what,
                "why": outcome.step.why,
                "status": outcome.status.value,
                "message": outcome.message,
                "transactions": [asdict(sent) for sent in outcome.sent],
            }
            for outcome in done.outcomes
        ],
        "money": None if money is None or token is None else {**asdict(money), "token": asdict(token)},
    }


def write(report: Mapping, folder: Path) -> Path:
    """Writes the JSON file, and the picture beside it where weeks were closed; the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"round-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    if report["money"]:
        money = dict(report["money"])
        token = Token(**money.pop("token"))
        (folder / f"{name}.svg").write_text(svg(MoneyFlow(**money), token), encoding="utf-8")
    path = folder / f"{name}.json"
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def read(folder: Path, name: str | None = None) -> tuple[Path, dict]:
    """A round's report by its name, the last one's if none is given. Raises ChainError where there is none to read."""
    paths = sorted(folder.glob("round-*.json"))
    if name is not None:
        paths = [path for path in paths if path.stem == name.removesuffix(".json")]
    if not paths:
        raise ChainError(f"no report {name or 'of a round'} in {folder}")
    try:
        return paths[-1], json.loads(paths[-1].read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ChainError(f"{paths[-1]} is not a report: delete it") from None


def shown(text: str, style: str = "") -> Text:
    """A text with strangers' words in it, as a terminal can show it: it moves no cursor and is no markup."""
    return Text(visible(text), style)


def show(report: Mapping, console: Console) -> None:
    """The steps as a table, where the money went, and what the round ended with; 80 columns are enough."""
    table = Table(title="The keeper's round", title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("step")
    table.add_column("")
    table.add_column("gas", justify="right")
    for step in report["steps"]:
        gas = sum(sent["gas_used"] for sent in step["transactions"])
        what = shown(step["what"])
        if step["message"]:
            what += Text("\n") + shown(step["message"], "dim")
        table.add_row(what, _coloured(step["status"]), f"{gas:,}" if gas else "")
    console.print(table if report["steps"] else "Nothing was due.")
    for sentence in report["plan"]["waiting"]:
        console.print(shown(f"· {sentence}", "dim"))
    if report["money"]:
        _show_money(report["money"], console)
    verdict = Text(report["verdict"], "green" if report["exit_code"] == 0 else "red")
    console.print(verdict + Text(f": {report['gas_used']:,} gas, {report['fees_wei'] / 1e18:.6f} ETH", "default"))


def _show_money(money: Mapping, console: Console) -> None:
    token = Token(**money["token"])
    table = Table(title="Where the prize came from and went", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("from")
    table.add_column("", justify="right")
    table.add_column("to")
    table.add_column("", justify="right")
    sides = [sorted(money[side].items(), key=lambda item: -item[1]) for side in ("sources", "sinks")]
    for number in range(max(map(len, sides))):
        cells = []
        for side in sides:
            name, amount = side[number] if number < len(side) else ("", None)
            cells += [Text(), Text()] if amount is None else [shown(name), shown(token.text(amount))]
        table.add_row(*cells)
    console.print(table)


def _coloured(status: str) -> Text:
    return Text(status, "green" if status in GOOD else "red" if status in BAD else "yellow")
