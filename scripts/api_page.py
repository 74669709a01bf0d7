"""Write docs/api.md: every method and event log of `tessera.chain`, from its signature and docstring.

python scripts/api_page.py [--check]
"""

import importlib
import inspect
import re
import typing
from enum import Enum
from pathlib import Path

import click

from tessera.chain.contract import Contract, EventLog, fields_of
from tessera.chain.deployments import Tessera

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"
HEAD = """\
# Methods and event logs of `tessera.chain`

After this page you know every call, what it takes and gives back, and every event log with its fields.
`python scripts/api_page.py` writes it from docstrings and signatures; how to begin is in [chain.md](chain.md).

Amounts are integers in the token's smallest unit, times unix seconds; a name that ends in `_wad` is 1e-18.
A method that takes a `Wallet` first sends a transaction, and returns a `Receipt`; all others read.
Every method raises `Reverted` where the contract refuses, `ArgumentError` for a value that does not fit, and
`NodeError` where the node fails.
Every event log has `contract`, `block`, `log_index` and `transaction` besides its own fields.
"""
# Besides the contracts: module and names, in the order of the page.
FREE = {
    "node": ("connect", "prepared"),
    "blocks": ("contract_block", "check_block_numbers"),
    "wallet": ("Wallet",),
    "accounts": ("from_key_file", "from_mnemonic"),
    "deployments": ("Deployment", "Tessera"),
    "contract": ("Receipt",),
    "logs": ("LogReader",),
    "permits": ("sign_permit", "permit_data", "permit_of"),
    "erc20": ("Erc20", "Token"),
}


def page() -> str:
    """The whole page."""
    # The wrapper of each contract, in the order in which a deployment offers them.
    offered = [
        typing.get_type_hints(member.func)["return"]
        for member in vars(Tessera).values()
        if hasattr(member, "func") and hasattr(member, "attrname")
    ]
    contracts = dict.fromkeys([*offered, *sorted(Contract.KNOWN, key=lambda known: known.NAME)])
    parts = [HEAD]
    for module, names in FREE.items():
        parts += [f"## `tessera.chain.{module}`\n", *(_named(module, name) for name in names)]
    parts += [_contract(contract) for contract in contracts]
    return "\n".join(parts).rstrip("\n") + "\n"


def _named(module: str, name: str) -> str:
    item = getattr(importlib.import_module(f"tessera.chain.{module}"), name)
    if not inspect.isclass(item):
        return f"- `{name}{_signature(item)}`: {_sentences(item)}\n"
    lines = [f"`{name}{_signature(item)}`: {_sentences(item)}\n", *_methods(item)]
    return "\n".join(lines) + "\n"


def _contract(contract: type[Contract]) -> str:
    module = contract.__module__
    structs = [
        item
        for item in vars(importlib.import_module(module)).values()
        if inspect.isclass(item)
        and item.__module__ == module
        and (issubclass(item, tuple | Enum) or hasattr(item, "__dataclass_fields__"))
        and not issubclass(item, EventLog)
    ]
    lines = [f"## {contract.NAME}\n", f"`{module}.{contract.__name__}`: {_sentences(contract)}\n", *_methods(contract)]
    if structs:
        lines += ["\n### Values\n", *map(_struct, structs)]
    if contract.EVENTS:
        lines += ["\n### Event logs\n", *map(_event, contract.EVENTS)]
    return "\n".join(lines) + "\n"


def _methods(item: type) -> list[str]:
    """The public methods that a class defines itself, or inherits from classes of this package but `Contract`."""
    members: dict[str, object] = {}
    for base in reversed(item.__mro__):
        if base is not Contract and base.__module__.startswith("tessera."):
            members |= {name: member for name, member in vars(base).items() if not name.startswith("_")}
    lines = []
    for name, member in members.items():
        call = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        call = member.fget if isinstance(member, property) else call
        if inspect.isfunction(call):
            shown = f"{name} -> {_type(_hints(call).get('return'))}" if isinstance(member, property) else None
            lines.append(f"- `{shown or name + _signature(call)}`{_after(call)}")
    return lines


def _struct(item: type) -> str:
    if issubclass(item, Enum):
        fields = ", ".join(f"`{value.name}` = {int(value.value)}" for value in item)
    else:
        fields = ", ".join(f"`{name}: {_type(kind)}`" for name, kind in _hints(item).items())
    text = _sentences(item, own=True)
    return f"- `{item.__name__}`: {fields}" + (f". {text}" if text else "")


def _event(kind: type[EventLog]) -> str:
    fields = ", ".join(f"`{name}: {_type(field)}`" for name, field in fields_of(kind).items())
    text = _sentences(kind, own=True)
    return f"- `{kind.__name__}`: {fields}" + (f". {text}" if text else "")


def _signature(item) -> str:
    """As it is written, without `self` and modules' names."""
    call = item.__init__ if inspect.isclass(item) else item
    hints, shown = _hints(call), []
    for name, parameter in inspect.signature(call).parameters.items():
        if name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in "".join(shown):
            shown.append("*")
        prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        text = f"{prefix}{name}" + (f": {_type(hints[name])}" if name in hints else "")
        if parameter.default is not parameter.empty:
            shown_default = repr(parameter.default)
            text += f" = {'...' if shown_default.startswith('<') else shown_default}"
        shown.append(text)
    returned = hints.get("return")
    arrow = "" if inspect.isclass(item) or returned in (None, type(None)) else f" -> {_type(returned)}"
    return f"({', '.join(shown)}){arrow}"


def _hints(item) -> dict:
    try:
        return typing.get_type_hints(item)
    except NameError:  # a name that only type checkers import
        return dict(getattr(item, "__annotations__", {}))


def _type(kind) -> str:
    text = kind if isinstance(kind, str) else inspect.formatannotation(kind)
    return re.sub(r"\b(?:\w+\.)+(?=[A-Za-z_])", "", text).replace("NoneType", "None").replace("~", "")


def _after(item) -> str:
    text = _sentences(item)
    return f": {text}" if text else ""


def _sentences(item, *, own: bool = False) -> str:
    """A docstring in one line; with `own`, nothing for one that a decorator made."""
    text = inspect.cleandoc(item.__doc__ or "")
    if own and text.startswith(f"{item.__name__}("):
        return ""
    return " ".join(text.split())


@click.command(help=__doc__)
@click.option("--check", is_flag=True, help="Write nothing; fail if the page would change.")
def cli(check: bool):
    text = page()
    if check:
        if not PAGE.exists() or PAGE.read_text() != text:
            raise click.ClickException("docs/api.md is behind the code. Run python scripts/api_page.py.")
        click.echo("docs/api.md: as it should be")
        return
    PAGE.write_text(text)
    click.echo(f"docs/api.md: {len(text.splitlines())} lines")


if __name__ == "__main__":
    cli()
