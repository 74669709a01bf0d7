"""What is asked of the command at each key that completes a word is quick, since it imports next to nothing."""

import json
import os
import subprocess
import sys

import pytest

from tessera.chain.lmsr_markets import Status
from tessera.cli.markets import STATES

# Each of these takes a good part of a second of a fast machine's time.
HEAVY = ("web3", "eth_abi", "eth_account", "sqlalchemy", "pydantic", "fastapi", "rich", "mpmath", "requests",
         "websockets", "tessera.chain", "tessera.index", "tessera.keeper", "tessera.accounting",
         "tessera.host")  # fmt: skip
PROBE = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from tessera.cli.main import cli
cli(sys.argv[1:], prog_name="tessera")
"""


def modules_of(*arguments, **environment) -> tuple[str, set[str]]:
    """What a command prints, and the modules that it has imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout, set(json.loads(done.stderr.splitlines()[-1]))


def completing(words: str) -> dict:
    return {"_TESSERA_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("--version",), {}, "version"),
        (("--help",), {}, "portfolio"),
        (("markets", "create", "--help"), {}, "2027-01-31T18:00 (UTC)"),
        (("keeper", "run", "--help"), {}, "SIGTERM"),
        (("bets", "place", "--help"), {}, "the least that must be covered at once"),
        (("host", "check", "--help"), {}, "names its section"),
        ((), completing("tessera "), "plain,tickets"),
        ((), completing("tessera markets "), "plain,claim"),
        ((), completing("tessera markets bet 1 "), "plain,yes"),
        ((), completing("tessera markets list --state "), "plain,disputed"),
        ((), completing("tessera --devnet-account 1 tickets wi"), "plain,withdraw"),
    ],
)
def test_help_and_completion_import_nothing_heavy(arguments, environment, said):
    output, modules = modules_of(*arguments, **environment)
    assert said in output
    assert modules & set(HEAVY) == set()


def test_the_heavy_modules_are_those_that_a_command_needs():
    """The list names modules that exist: a command that looks at markets imports them."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, "--rpc", "http://127.0.0.1:1", "markets", "list"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    modules = set(json.loads(done.stderr.splitlines()[-1]))
    assert done.returncode == 1
    assert {"web3", "requests", "eth_abi", "tessera.chain"} <= modules & set(HEAVY)


def test_the_states_of_a_market_are_the_contracts():
    assert list(STATES) == [status.name.lower() for status in Status]
