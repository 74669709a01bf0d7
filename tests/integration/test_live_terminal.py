"""A session from a terminal, by the commands of docs/live.md, against a running engine."""

import json
import os
import re
from pathlib import Path

import pytest

from tessera.chain import EUR
from tessera.chain.embedded import known_account
from tessera.chain.micro_sessions import SessionClosed
from tests.integration.conftest import ROOT, run
from tests.streams import live_stream

TERMINAL = re.search(
    r"## From a terminal\n.*?```sh\n(.*?)```", (ROOT / "docs" / "live.md").read_text(), re.DOTALL
).group(1)
PLAYER = 11


@pytest.mark.anvil
def test_the_terminal_opens_plays_and_closes_by_the_docs(tmp_path: Path):
    with live_stream(tmp_path) as stream:
        settings = {
            "TESSERA_RPC": stream.node,
            "TESSERA_RECORD": str(stream.record),
            "TESSERA_ENGINE": stream.engine,
            "TESSERA_DEVNET_ACCOUNT": str(PLAYER),
            "HOME": str(tmp_path),
        }
        for own in (["join"], ["consents", "allow", "1"]):
            done = run(["tessera", *own], env={**os.environ, **settings})
            assert done.returncode == 0, done.stderr
        done = run(["bash", "-exc", TERMINAL], env={**os.environ, **settings, "TESSERA_JSON": "1"})
        assert done.returncode == 0, done.stderr[-3000:]
        decoder, text, answers = json.JSONDecoder(), done.stdout.strip(), []
        while text:
            answer, end = decoder.raw_decode(text)
            answers.append(answer)
            text = text[end:].strip()
        by_key = {key: answer for answer in answers if isinstance(answer, dict) for key in answer}
        assert by_key["bets"]["bets"] == 4
        [closed] = [event for event in stream.tessera.log_reader().read() if isinstance(event, SessionClosed)]
        net = int(by_key["net"]["net"])
        assert closed.net == net == int(answers[-1]["net"])
        player = known_account(PLAYER).address
        assert stream.tessera.escrow.balance_of(player) == 50 * EUR - EUR // 2 + net
        [first, *_] = [
            answer for answer in answers if isinstance(answer, list) and answer and "house_edge" in answer[0]
        ]
        assert all(int(choice["expected_loss"]) > 0 for question in first for choice in question["choices"])
        keys = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".key"]
        assert keys == []  # what signs bets is in no file
