"""What the engine publishes is its record: audited by the script that knows nothing of the engine."""

import json
import subprocess
import sys
from pathlib import Path

from tessera.live import messages
from tests.live import DOMAIN, EUR, HOUSE, STREAM

SCRIPT = Path(__file__).parents[3] / "scripts" / "audit_stream.py"


def published(stage, folder: Path) -> None:
    """The files of scripts/audit_stream.py, from published messages and players' receipts alone."""
    about = {"chain_id": DOMAIN.chain_id, "contract": DOMAIN.contract, "stream_id": STREAM, "house_key": HOUSE.address}
    (folder / "stream.json").write_text(json.dumps(about))
    sent = [message for _, message in stage.published]
    numbers = ("n", "kind", "epoch")
    lines = [message | {name: int(message[name]) for name in numbers} for message in sent if is_a(message, "line")]
    (folder / "record.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    signed = []
    for message in sent:
        if is_a(message, "book"):
            book = message["book"] | {"n": int(message["book"]["n"])}
            signed.append({"type": "book", **book, "signature": long(message["signature"])})
    for completed in stage.receipts:
        receipt = completed.receipt
        fields = {"state": "0x" + completed.state_hash.hex(), "n": receipt.n, "epoch": receipt.epoch}
        compact = receipt.signature.r.to_bytes(32) + receipt.signature.vs.to_bytes(32)
        signature = long("0x" + compact.hex())
        signed.append({"type": "receipt", **fields, "head": "0x" + receipt.head.hex(), "signature": signature})
    (folder / "signed.jsonl").write_text("\n".join(map(json.dumps, signed)))


def is_a(message: dict, kind: str) -> bool:
    return message["type"] == kind


def long(compact: str) -> str:
    """65 bytes of a signature of EIP-2098."""
    vs = int(compact[66:], 16)
    return compact[:66] + (vs & 2**255 - 1).to_bytes(32).hex() + bytes([27 + (vs >> 255)]).hex()


def test_an_honest_engine_is_clean_through_a_restart(stage, tmp_path):
    # The first epoch's line was published before anybody listened: observers ask for it.
    stage.published.append((None, epoch_line(stage)))
    first, second = stage.opened("first"), stage.opened("second")
    for player in (first, second, first):
        quoted = stage.ask()
        stage.place_bet(player, quoted)
        stage.settle(quoted, 1)
    stage.restart()
    stage.published.append((None, epoch_line(stage)))
    quoted = stage.ask()
    stage.place_bet(second, quoted, stake=2 * EUR)
    stage.settle(quoted, 0)
    stage.receipts = first.completed + second.completed
    published(stage, tmp_path)
    audit = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True)
    assert (audit.returncode, audit.stderr) == (0, "")
    assert "signatures agree" in audit.stdout
    assert len(stage.receipts) == 6  # two activations, four bets


def epoch_line(stage) -> dict:
    return messages.line(stage.journal.lines(stage.engine.memory.n, 1)[0])
