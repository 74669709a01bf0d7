"""Why a command did not do what it was asked for: one line for people, one JSON object for programs, on stderr."""

import json
import sys

import click

from tessera.model.text import visible


class Refused(click.ClickException):
    """The terminal's own refusal: `code` is stable, the message says what to do."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Failure(click.ClickException):
    """What ended a command, and what became of its transactions, by hash: "done", "failed" or "unknown"."""

    def __init__(self, code: str, message: str, *, exit_code: int = 1, reason: str | None = None):
        super().__init__(message)
        self.code, self.exit_code, self.reason = code, exit_code, reason
        self.transactions: dict[str, str] = {}

    @property
    def sent(self) -> bool | None:
        """Whether a transaction was sent; None where that is not known."""
        states = set(self.transactions.values())
        return True if states - {"unknown"} else None if states else False

    def as_mapping(self) -> dict:
        """What --json says of it."""
        failure = {"code": self.code, "message": self.message, "sent": self.sent}
        if self.reason is not None:
            failure["reason"] = self.reason
        return {"error": failure | {"transactions": self.transactions}}

    def line(self) -> str:
        """What it says to people."""
        sentences = {
            "done": "Transaction {} was sent and stays done.",
            "failed": "Transaction {} was sent and failed: it cost its fee, and changed nothing.",
            "unknown": "Transaction {} may have been sent and may still be mined: look before you try again.",
        }
        states = [sentences[state].format(hash_) for hash_, state in self.transactions.items()]
        message = " ".join(self.message.split("\n")).strip()
        return visible(f"Error: {message.rstrip('.')}. {' '.join(states) or 'Nothing was sent.'} [{self.code}]")

    def tell(self, as_json: bool) -> None:
        """Prints it."""
        click.echo(json.dumps(self.as_mapping(), indent=2) if as_json else self.line(), err=True)


def failure_of_command(error: click.ClickException | click.Abort | KeyboardInterrupt) -> Failure:
    """What an exception of the command line's own means to whoever runs a command."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, Refused):
        return Failure(error.code, error.message)
    if isinstance(error, click.ClickException):
        hint = ""
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f". Try '{error.ctx.command_path} --help'"
        return Failure("usage", error.format_message().rstrip(".") + hint, exit_code=error.exit_code)
    return Failure("interrupted", "stopped before it was confirmed or done")


def failure_of(error: BaseException) -> Failure | None:
    """What an exception means to whoever runs a command; None for what is a fault of the program, or no failure."""
    if isinstance(error, click.ClickException | click.Abort | KeyboardInterrupt):
        return failure_of_command(error)
    if "tessera.chain" not in sys.modules:  # which takes seconds to import: none of its errors can be meant
        return None
    return _of_chain(error)


def _of_chain(error: BaseException) -> Failure | None:
    from tessera.chain.errors import ChainError, NodeRefusedError, Reverted

    if isinstance(error, Reverted):
        return Failure(error.code, error.explained, reason=error.reason)
    if isinstance(error, NodeRefusedError):
        poor = "insufficient funds" in error.rpc_message.lower()
        advice = ". Your account needs ETH of this network for the fee" * poor
        return Failure(error.code, f"the node refuses: {error.rpc_message}{advice}", reason=error.rpc_message)
    return Failure(error.code, str(error)) if isinstance(error, ChainError) else None
