"""docs/live.md, "From nothing to a hundred bets", as a newcomer runs it, with fewer bets."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.devnet import anvil
from tessera.chain import Tessera, Wallet, connect
from tessera.chain.embedded import known_account
from tessera.deployment.deploy import deploy
from tests.processes import BY_SIGTERM, ROOT, running
from tests.streams import free_port

pytestmark = pytest.mark.anvil

PAGE = (ROOT / "docs" / "live.md").read_text()
SECTION = PAGE.partition("## From nothing to a hundred bets\n")[2].partition("\n## ")[0]
OPEN, OBSERVE, PLAY = re.findall(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
DEPLOY, ENGINE = re.findall(r"^ape run .*$", SECTION, re.MULTILINE)
MANY_MINUTES = 300  # seconds, for a busy machine: a result takes half a minute


def test_from_nothing_to_bets_by_the_page_alone(tmp_path):
    record, file = tmp_path / "devnet.json", tmp_path / "stream.toml"
    file.write_text(re.search(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL).group(1))
    options = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
    with anvil(0) as (_, node):
        members_of_a_devnet(node, record)
        port = free_port()

        def here(text: str) -> str:
            text = text.replace("http://127.0.0.1:8545", node).replace("127.0.0.1:8800", f"127.0.0.1:{port}")
            text = text.replace("deployments/devnet.json", str(record)).replace("--file stream.toml", f"--file {file}")
            return text.replace("BETS = 100", "BETS = 3")

        def run(*command: str, **more) -> str:
            done = subprocess.run(command, capture_output=True, text=True, timeout=MANY_MINUTES, check=False, **more)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        run(*shlex.split(here(DEPLOY)), cwd=ROOT)
        assert run(sys.executable, "-c", here(OPEN), **options) == "stream 1\n"
        places = f" --port {port} --journal {tmp_path / 'journal'} --files {tmp_path / 'public'}"
        with running(shlex.split(here(ENGINE) + places), r"at ws://\S+"):
            observing = [sys.executable, "-c", f"print('begins', flush=True)\n{here(OBSERVE)}"]
            with running(observing, "begins", codes=(BY_SIGTERM,), **options):
                assert re.search(r"^3 bets, net -?\d+$", run(sys.executable, "-c", here(PLAY), **options), re.MULTILINE)


def members_of_a_devnet(node: str, record: Path) -> None:
    """What of `make devnet` matters here: hosted bets are there before micro-bets, operator and player have joined."""
    web3 = connect(node)
    owner, *people = (Wallet(web3, known_account(i)) for i in range(3))
    deploy(owner, "friends", {"shortest_window": 60}, network="devnet", path=record)
    tessera = Tessera(web3, deploy(owner, "hosted", {"first_index": 1}, network="devnet", path=record))
    tessera.play_euro.invite(owner, [person.address for person in people])
    for person in people:
        tessera.play_euro.join(person, consent=0b1)
