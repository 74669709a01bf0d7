"""`ape run host` and `ape run validator`, as docs/host.md has people type them, with two players at the host's door."""

import json
import os
import re
import shlex
import time
from pathlib import Path

import pytest
from eth_account.messages import encode_defunct, encode_typed_data
from websockets.sync.client import connect

from tessera.chain import Deployment, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.local import devnet
from tessera.local.chain import let_pass
from tests.integration.conftest import ROOT, run
from tests.integration.test_cli import HOSTED, blocks_of
from tests.processes import running

PAGE = (ROOT / "docs" / "host.md").read_text()
CREATE, DRY, HOST, AWAITS, REHEARSE, REPORT, *_ = re.findall(r"^ape run .*$", PAGE, re.MULTILINE)
BARE = re.search(r"```ini\n(.*?)```", PAGE, re.DOTALL).group(1)
PORT = 18_700
HOST_URL = f"ws://127.0.0.1:{PORT}"
EUR = 10**6


class Player:
    """A client that knows the frames of the page."""

    def __init__(self, index: int):
        self.account = known_account(index)
        for _ in range(100):
            try:
                self.socket = connect(HOST_URL)
                break
            except OSError:
                time.sleep(0.2)
        challenge = self.next("challenge")["message"].replace("0x" + "00" * 20, self.account.address)
        signature = "0x" + self.account.sign_message(encode_defunct(text=challenge)).signature.hex()
        self.send(method="sign_in", message=challenge, signature=signature)
        self.next("signed_in")

    def next(self, method: str) -> dict:
        while (found := json.loads(self.socket.recv(timeout=60)))["method"] != method:
            assert found["method"] == "bets", found
        return found

    def send(self, **frame) -> None:
        self.socket.send(json.dumps(frame))

    def bet(self, prediction: str, amount: float) -> None:
        info = {"bet_id": 0, "desc": "A wins on B", "prediction": prediction, "bet_amount": amount}
        self.send(method="bets_selected", bets_info=[info])
        messages = self.next("bets_to_sign")["bets"]
        signed = [self.account.sign_message(encode_typed_data(full_message=one)).signature.hex() for one in messages]
        self.send(method="bets_signed", signatures=["0x" + one for one in signed])
        assert self.next("bets_accepted")["nonces"] == [one["message"]["nonce"] for one in messages]

    def until(self, status: str) -> dict:
        """The player's bet once it has a status."""
        while True:
            for bet in self.next("bets")["confirmed_bets"]:
                if bet["bet_status"] == status:
                    return bet


def the_commands_of_the_page_run(url: str, folder: Path, home: Path) -> None:
    """A third player bets by docs/cli.md, with a back end of the player's own."""
    settings = {"TESSERA_RPC": url, "TESSERA_RECORD": str(folder / devnet.RECORD), "TESSERA_HOST": HOST_URL}
    settings |= {"HOME": str(home), "TESSERA_JSON": "1"}
    commands = blocks_of(HOSTED)
    done = run(["bash", "-exc", commands], env={**os.environ, **settings})
    assert done.returncode == 0, done.stderr[-3000:]
    placed = json.loads(re.search(r'^\{\n  "bet_id".*?^\}', done.stdout, re.MULTILINE | re.DOTALL).group())
    assert (placed["confirmed"], placed["host_shows_it"]) == (str(5 * EUR), True)


@pytest.mark.anvil
def test_two_players_bet_against_each_other_by_the_docs_alone(web3, url, folder: Path, tmp_path: Path):
    file = tmp_path / "bets.ini"
    file.write_text(BARE)
    tessera = Tessera(web3, Deployment.load(folder / devnet.RECORD))

    def typed(command: str, **words: str) -> list[str]:
        command = command.replace("http://127.0.0.1:8545", url).replace(
            "deployments/devnet.json", str(folder / devnet.RECORD)
        )
        for name, word in words.items():
            command = command.replace(name, word)
        return shlex.split(command)

    made = run(typed(CREATE))
    assert made.returncode == 0, made.stderr
    panel = re.search(r"panel (\d+)", made.stdout).group(1)
    words = {"bets.ini": str(file), "PANEL": panel}
    dry = run(typed(DRY, **words))
    assert dry.returncode == 0, dry.stderr
    assert "2 bets as 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc. Nothing was signed or sent." in dry.stdout

    for index in (1, 2):
        tessera.escrow.set_consent(Wallet(tessera.web3, known_account(index)), 0b111)
    before = [tessera.escrow.balance_of(known_account(index).address) for index in (1, 2)]
    own = ["--port", str(PORT), "--database", f"sqlite:///{tmp_path}/host.db", "--index", f"sqlite:///{tmp_path}/i.db"]
    with running([*typed(HOST, **words), *own], "ws://") as host:
        first, second = Player(1), Player(2)
        first.bet("win", 5)
        second.bet("loss", 10)
        the_commands_of_the_page_run(url, folder, tmp_path)
        bet_id = first.until("confirmed")["onchain_id"]
        assert second.until("confirmed")["bet_amount"] == 10
        let_pass(tessera.web3, 24 * 3_600 + 60, devnet.BLOCKS_PER_HOUR)
        where = ["--index", f"sqlite:///{tmp_path}/v.db"]
        awaits = run([*typed(AWAITS), *where])
        assert awaits.returncode == 0, awaits.stderr
        assert bet_id in awaits.stdout
        rehearsed = run([*typed(REHEARSE, BET_ID=bet_id), *where])
        assert rehearsed.returncode == 0, rehearsed.stderr
        assert "Nothing was signed or sent." in rehearsed.stdout
        for member in (11, 12):
            reported = run([*typed(REPORT, **{"BET_ID": bet_id, "TEST::11": f"TEST::{member}"}), *where])
            assert reported.returncode == 0, reported.stderr
        assert first.until("settled")["outcome"] == "win"
    assert host.said.endswith("stopped\n")
    after = [tessera.escrow.balance_of(known_account(index).address) for index in (1, 2)]
    # 10 were lost: 5 % each for host and validators, 9 for the winner.
    assert [now - then for now, then in zip(after, before, strict=True)] == [9 * EUR, -10 * EUR]
