"""Recompute a stream's record from its public files, and say who broke it.

`python scripts/audit_stream.py FOLDER` needs Python and eth-account alone. The folder has

- stream.json: chain_id, contract, stream_id, house_key
- record.jsonl: the lines of the record as observers hold them: n, kind, epoch, question, leaf
- signed.jsonl: what the house key signed, from whoever kept it. A receipt has type "receipt", state, n, epoch, head and
  signature, a book has type "book", question, root, n, head and signature

Hashes and signatures are 0x hex, everything else is a number. One receipt is enough to convict the house: of two heads
for one line, of a bet after its question's lock, or of a bet that the record it signed does not hold.

Exit status: 0 nothing found, 1 files that cannot be read, 2 the house is convicted, 3 the record contradicts itself or
what the house signed, without a proof against the house.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from eth_account import Account
from eth_utils.crypto import keccak

BET, LOCK = 2, 3
CLEAN, UNREADABLE, GUILTY, BROKEN = 0, 1, 2, 3
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
RECEIPT_TYPE = "Receipt(bytes32 state,uint256 stream_id,uint256 n,uint256 epoch,bytes32 head)"
BOOK_TYPE = "Book(bytes32 question,bytes32 root,uint256 n,bytes32 head)"


def word(value) -> bytes:
    """A number, or 0x hex, as 32 bytes."""
    return (int(value, 16) if isinstance(value, str) else value).to_bytes(32, "big")


class Stream:
    """A stream's folder."""

    def __init__(self, folder: Path):
        about = json.loads((folder / "stream.json").read_text())
        self.stream_id, self.house_key = about["stream_id"], about["house_key"].lower()
        self.lines = [json.loads(line) for line in (folder / "record.jsonl").read_text().splitlines()]
        self.signed = [json.loads(line) for line in (folder / "signed.jsonl").read_text().splitlines()]
        chain_id, contract = word(about["chain_id"]), word(about["contract"])
        names = keccak(text="Tessera MicroSessions") + keccak(text="1")
        self.separator = keccak(keccak(text=DOMAIN_TYPE) + names + chain_id + contract)
        self.first_head = keccak(chain_id + contract + word(self.stream_id))

    def heads(self) -> list[bytes]:
        """The head after each line, from the lines alone. Raises ValueError where numbers do not run on from 1."""
        head, heads = self.first_head, []
        for number, line in enumerate(self.lines, start=1):
            if line["n"] != number:
                raise ValueError(f"the record has line {line['n']} where {number} should be")
            words = (line[name] for name in ("n", "kind", "epoch", "question", "leaf"))
            head = keccak(head + b"".join(map(word, words)))
            heads.append(head)
        return heads

    def is_by_house(self, item: dict) -> bool:
        """Whether the house key signed an item."""
        if item["type"] == "receipt":
            fields = (item["state"], self.stream_id, item["n"], item["epoch"], item["head"])
            kind = RECEIPT_TYPE
        else:
            fields = (item["question"], item["root"], item["n"], item["head"])
            kind = BOOK_TYPE
        digest = keccak(b"\x19\x01" + self.separator + keccak(keccak(text=kind) + b"".join(map(word, fields))))
        try:
            return Account._recover_hash(digest, signature=item["signature"]).lower() == self.house_key
        except Exception:
            return False  # whatever is wrong with a signature, it convicts nobody


def audit(stream: Stream) -> tuple[list[str], list[str]]:
    """What convicts the house, a sentence for each proof; and what is wrong without one."""
    guilty: list[str] = []
    broken: list[str] = []
    signed = [item for item in stream.signed if stream.is_by_house(item)]
    if len(signed) < len(stream.signed):
        broken.append(f"{len(stream.signed) - len(signed)} items are not signed by the house key: left out")

    by_line = defaultdict(set)
    for item in signed:
        by_line[item["n"]].add(word(item["head"]))
    guilty += [f"the house signed {len(heads)} heads for line {n}" for n, heads in by_line.items() if len(heads) > 1]

    try:
        heads = stream.heads()
    except ValueError as error:
        return guilty, [*broken, str(error)]
    # The house answers for the record up to the last head of it that it signed.
    known = {n: of_line for n, of_line in by_line.items() if n <= len(heads)}
    answered = max((n for n, of_line in known.items() if heads[n - 1] in of_line), default=0)
    for n in sorted(n for n, of_line in known.items() if heads[n - 1] not in of_line):
        if n < answered:
            guilty.append(f"the house signed a head for line {n} that the heads it signed later contradict")
        else:
            broken.append(f"the head of line {n} is not what the house signed")

    locks = {}
    for line in stream.lines:
        if line["kind"] == LOCK:
            locks.setdefault(word(line["question"]), line["n"])
    for item in signed:
        if item["type"] != "receipt" or item["n"] > answered:
            continue
        line = stream.lines[item["n"] - 1]
        if line["kind"] != BET or word(line["leaf"]) != word(item["state"]):
            guilty.append(f"the house signed a receipt for line {item['n']} that its own record does not hold")
        elif locks.get(word(line["question"]), item["n"]) < item["n"]:
            guilty.append(f"the house took the bet of line {item['n']} after its question was locked")
    return guilty, broken


def main(folder: str) -> int:
    """Audits a folder, and prints what it shows."""
    try:
        stream = Stream(Path(folder))
        guilty, broken = audit(stream)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{folder} cannot be read as a stream's record: {error!r}", file=sys.stderr)
        return UNREADABLE
    for text in guilty:
        print(f"CONVICTED: {text}")
    for text in broken:
        print(f"to look at: {text}")
    if not guilty and not broken:
        print(f"{len(stream.lines)} lines and {len(stream.signed)} signatures agree")
    return GUILTY if guilty else BROKEN if broken else CLEAN


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
