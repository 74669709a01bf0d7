"""What the commands of operators (`ape run`) have in common: errors in one line, passphrases, money in words."""

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import click
import requests
from ape.cli import ConnectedProviderCommand
from ape.exceptions import ApeException

from tessera.chain.accounts import secret_of
from tessera.chain.errors import ChainError, NodeError
from tessera.model.text import visible


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turns what can go wrong outside into a message and exit code 1."""
    try:
        yield
    except (NodeError, requests.ConnectionError) as error:  # the latter is Ape's
        raise click.ClickException(f"the node failed: {visible(str(error).splitlines()[0])}") from None
    except ChainError as error:
        # With words of strangers in it.
        raise click.ClickException("\n".join(visible(line) for line in error.explained.splitlines())) from None
    except ApeException as error:
        raise click.ClickException(str(error)) from None


class Commands(click.Group):
    """Commands whose failures are told in one line."""

    def invoke(self, context: click.Context):
        with in_one_line():
            return super().invoke(context)


class OneCommand(ConnectedProviderCommand):
    """The same for a command that is no group, with Ape's options for the network."""

    def invoke(self, context: click.Context):
        with in_one_line():
            return super().invoke(context)


def wei_of(amount: float | None, unit: int) -> int | None:
    """An amount in ETH or gwei as wei."""
    return None if amount is None else int(Decimal(str(amount)) * unit)


def passphrase_of(account: str | None, path: Path | None) -> str | None:
    """What unlocks an account; None where nothing is locked. Raises ChainError where nobody is there to be asked."""
    if path is not None:
        if path.exists() and path.stat().st_mode & stat.S_IROTH:
            raise ChainError(f"{path} can be read by everybody: chmod 600 {path}")
        return secret_of(path)
    if account is None or account.startswith("TEST::"):
        return None
    if not sys.stdin.isatty():
        raise ChainError(f"{account} is locked: --passphrase-file FILE")
    return click.prompt(f"Passphrase of {account}", hide_input=True)
