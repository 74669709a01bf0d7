"""Recompute a stream's record and figures from its public files: say who broke it, and what is not as published.

`python scripts/audit_stream.py FOLDER_OR_URL [SIGNED]` needs Python and eth-account alone. There are

- stream.json: chain_id, contract, stream_id, house_key; to check observers' signatures panel, panels, members and
  threshold, too; and as record the names of the files of rows, in their order, where that is not record.jsonl alone
- those files: the lines of the record: n, kind, epoch, question, leaf. As an engine publishes it they have their
  content, too (a quote, the house's signature of a book, an outcome with observers' signatures, answers), and rows
  without n are questions and the books that observers signed
- fairness.json, if it is there: the figures that the engine publishes of the first `rows` rows
- signed.jsonl, if it is there, or the file SIGNED: what the house key signed, from whoever kept it. A receipt has type
  "receipt", state, n, epoch, head and signature, a book has type "book", question, root, n, head and signature, a
  quote has type "quote", its fields and signature, a refusal has type "refusal", state, code, refused_at and signature

Hashes and signatures (64 bytes of EIP-2098, or 65) are 0x hex, all else is a number, or one as text. One receipt is
enough to convict the house: of two heads for one line, of a bet after its question's lock, or of a bet that the record
it signed does not hold. One quote is, where the record has another one on its line: odds are the same for everybody.
One refusal is, where the answers in the record it signed leave it out or give another reason.

Which stream, house key and observers it goes by is what stream.json says: the first line names them, and the chain
has the true ones.

Exit status: 0 nothing found, 1 files that cannot be read, 2 the house is convicted, 3 the record contradicts itself,
what the house signed or what it publishes, or ends before what it signed, without a proof against the house.
"""

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from eth_account import Account
from eth_utils.crypto import keccak

QUOTE, BET, LOCK, RESULT, ANSWERS = 1, 2, 3, 4, 5
EPOCH = 0
KINDS = range(6)
CLEAN, UNREADABLE, GUILTY, BROKEN = 0, 1, 2, 3
GRACE_MS = 1_000  # at the beginning of an epoch: the clock of the engine before it may have been ahead
HEADED = ("receipt", "book")  # items whose signature covers a line and its head
SIGNED = (*HEADED, "quote", "refusal")
CONTENT = {QUOTE: "quote", RESULT: "outcome", ANSWERS: "answers"}  # what a published line has beside its leaf
CONFIRMED = 1  # the outcome by which observers confirm a book
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
TYPES = {
    "Receipt": "bytes32 state,uint256 stream_id,uint256 n,uint256 epoch,bytes32 head",
    "Book": "bytes32 question,uint256 stream_id,bytes32 root,uint256 n,bytes32 head",
    "Refusal": "bytes32 state,uint256 stream_id,uint256 code,uint256 refused_at",
    "Quote": "uint256 stream_id,bytes32 question,uint256[] odds,uint256 greatest_liability,uint256 number,"
    "uint256 valid_until",
    "Choice": "uint256 low,uint256 high",
    "Question": "uint256 kind,uint256 stream_id,string text,uint256 lock,uint256 start,uint256 end,uint256 report_by,"
    "uint256 symbols,Choice[] choices",
    "Report": "uint256 panel_id,address product,bytes32 key,uint256 not_before,uint256 deadline,uint256 outcome",
}
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1


def number(value) -> int:
    """A number, or one as text: decimal, or 0x hex. Raises ValueError."""
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, str) and re.fullmatch("[0-9]+|0x[0-9a-fA-F]+", value):
        return int(value, 16 if value.startswith("0x") else 10)
    raise ValueError(f"{value!r} is no number")


def word(value) -> bytes:
    """A number, or one as text, as 32 bytes; bytes as they are."""
    return value if isinstance(value, bytes) else number(value).to_bytes(32, "big")


def hash_struct(name: str, value: dict) -> bytes:
    """EIP-712's hashStruct."""
    fields = [field.split() for field in TYPES[name].split(",")]
    contained = sorted({kind[:-2] for kind, _ in fields if kind[:-2] in TYPES})
    text = "".join(f"{part}({TYPES[part]})" for part in [name, *contained])
    return keccak(keccak(text=text) + b"".join(encoded(kind, value[field]) for kind, field in fields))


def encoded(kind: str, value) -> bytes:
    """A field as EIP-712 encodes it."""
    if kind == "string":
        return keccak(text=value)
    if kind == "uint256[]":
        return keccak(b"".join(map(word, value)))
    if kind.endswith("[]"):
        return keccak(b"".join(hash_struct(kind[:-2], item) for item in value))
    return word(value)


def compact(signature: str) -> bytes:
    """A signature as 64 bytes of EIP-2098, the same for the two twins of a signature. Raises ValueError."""
    raw = bytes.fromhex(signature.removeprefix("0x"))
    if len(raw) not in (64, 65):
        raise ValueError("a signature has 64 or 65 bytes")
    last = int.from_bytes(raw[32:64], "big")
    s, parity = (last & (2**255 - 1), last >> 255) if len(raw) == 64 else (last, (raw[64] - 27) % 2)
    if s > ORDER // 2:
        s, parity = ORDER - s, 1 - parity
    return raw[:32] + (s | parity << 255).to_bytes(32, "big")


def signer(digest: bytes, signature: str) -> str | None:
    """Who signed a digest, in lower case; None where the signature is none: it convicts nobody."""
    try:
        raw = compact(signature)
        last = int.from_bytes(raw[32:], "big")
        full = raw[:32] + (last & (2**255 - 1)).to_bytes(32, "big") + bytes([27 + (last >> 255)])
        return Account._recover_hash(digest, signature=full).lower()
    except Exception:
        return None


def root_of(leaves: list[bytes]) -> bytes:
    """The root of a book: a Merkle tree of sorted pairs; without bets it is 0."""
    level = leaves or [bytes(32)]
    while len(level) > 1:
        pairs = [sorted(level[at : at + 2]) for at in range(0, len(level), 2)]
        level = [keccak(b"".join(pair)) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]


def file_name(name: str) -> str:
    """A name of a file of rows as it is. Raises ValueError where it leads elsewhere."""
    if not re.fullmatch(r"record(-[0-9]+)?\.jsonl", name):
        raise ValueError(f"{name!r} is no name of a file of the record")
    return name


def row_of(row: dict) -> dict:
    """A row, with numbers where a line's may be text: what is compared with them is what its head commits to. Raises
    ValueError."""
    if "n" not in row:
        return row
    numbers = {name: number(row[name]) for name in ("n", "kind", "epoch")}
    if numbers["kind"] not in KINDS:
        raise ValueError(f"line {numbers['n']} is of no kind")
    return row | numbers


class Files:
    """A folder, or the same at a URL."""

    def __init__(self, where: str):
        self.where = where

    def text(self, name: str, optional: bool = False) -> str:
        """A file's text; optional ones that are not there are empty. Raises OSError."""
        try:
            if self.where.startswith(("http://", "https://")):
                with urlopen(f"{self.where.rstrip('/')}/{name}", timeout=60) as answer:  # noqa: S310
                    return answer.read().decode()
            return (Path(self.where) / name).read_text()
        except (FileNotFoundError, HTTPError):
            if optional:
                return ""
            raise


class Stream:
    """A stream's public files, and what somebody kept of what its house signed."""

    def __init__(self, where: str, kept: str | None = None):
        files = Files(where)
        # The figures first, then which files there are: the record only grows.
        self.published = json.loads(files.text("fairness.json", optional=True) or "null")
        self.about = about = json.loads(files.text("stream.json"))
        self.stream_id, self.house_key = number(about["stream_id"]), about["house_key"].lower()
        self.rows = [
            row_of(json.loads(row))
            for name in about.get("record", ["record.jsonl"])
            for row in files.text(file_name(name)).splitlines()
        ]
        self.lines = [row for row in self.rows if "n" in row]
        signed = files.text("signed.jsonl", optional=True) if kept is None else Path(kept).read_text()
        self.signed = [json.loads(item) for item in signed.splitlines()]
        self.signed = [item | {"n": number(item["n"])} if "n" in item else item for item in self.signed]
        self.signed += [
            {
                "type": "book",
                "root": line["leaf"],
                **{name: line[name] for name in ("question", "n", "head", "signature")},
            }
            for line in self.lines
            if line["kind"] == LOCK and "signature" in line
        ]
        self.separator = self._separator("Tessera MicroSessions", about["contract"])
        self.first_head = keccak(word(about["chain_id"]) + word(about["contract"]) + word(self.stream_id))

    def _separator(self, name: str, contract: str) -> bytes:
        names = keccak(text=name) + keccak(text="1")
        return keccak(keccak(text=DOMAIN_TYPE) + names + word(self.about["chain_id"]) + word(contract))

    def heads(self) -> list[bytes]:
        """The head after each line, from the lines alone. Raises ValueError where numbers do not run on from 1."""
        head, heads = self.first_head, []
        for count, line in enumerate(self.lines, start=1):
            if line["n"] != count:
                raise ValueError(f"the record has line {line['n']} where {count} should be")
            words = (line[name] for name in ("n", "kind", "epoch", "question", "leaf"))
            head = keccak(head + b"".join(map(word, words)))
            heads.append(head)
        return heads

    @property
    def named(self) -> str:
        """What the files say whose they are."""
        about = self.about
        observers = f", {about['threshold']} of observers {' '.join(about['members'])}" if "members" in about else ""
        return (
            f"stream {self.stream_id} of {about['contract']} on chain {about['chain_id']}, house key "
            f"{about['house_key']}{observers}: compare them with the chain"
        )

    @property
    def is_whole(self) -> bool:
        """Whether the lines are published with their content, as an engine does."""
        return self.published is not None or any("n" not in row or CONTENT.get(row["kind"]) in row for row in self.rows)

    def digest(self, name: str, value: dict) -> bytes:
        """What is signed of something of this stream."""
        return keccak(b"\x19\x01" + self.separator + hash_struct(name, value))

    def is_by_house(self, item: dict) -> bool:
        """Whether the house key signed an item, as one of this stream."""
        if item["type"] not in SIGNED:
            return False
        digest = self.digest(item["type"].capitalize(), {**item, "stream_id": self.stream_id})
        return signer(digest, item["signature"]) == self.house_key

    def report(self, question: dict, key: bytes, outcome) -> bytes:
        """What an observer signs to report an outcome under a key: a question's hash, or its book's key."""
        fields = {
            "panel_id": self.about["panel"],
            "product": self.about["contract"],
            "key": key,
            "not_before": -(-number(question["lock"]) // 1_000),
            "deadline": number(question["report_by"]) // 1_000,
            "outcome": outcome,
        }
        separator = self._separator("Tessera Panels", self.about["panels"])
        return keccak(b"\x19\x01" + separator + hash_struct("Report", fields))

    def are_enough(self, digest: bytes, signatures: dict) -> bool:
        """Whether as many members of the panel signed as a result needs."""
        signers = {signer(digest, signature) for signature in signatures.values()}
        members = {member.lower() for member in self.about["members"]}
        return len(signers & members) >= max(number(self.about["threshold"]), 1)


def audit(stream: Stream) -> tuple[list[str], list[str]]:
    """What convicts the house, a sentence for each proof; and what is wrong without one."""
    guilty: list[str] = []
    broken: list[str] = []
    signed = [item for item in stream.signed if stream.is_by_house(item)]
    if len(signed) < len(stream.signed):
        broken.append(f"{len(stream.signed) - len(signed)} items are not signed by the house key: left out")

    by_line = defaultdict(set)
    for item in signed:
        if item["type"] in HEADED:
            by_line[item["n"]].add(word(item["head"]))
    guilty += [f"the house signed {len(heads)} heads for line {n}" for n, heads in by_line.items() if len(heads) > 1]

    try:
        heads = stream.heads()
    except ValueError as error:
        return guilty, [*broken, str(error)]
    if bent := [
        line["n"] for line, head in zip(stream.lines, heads, strict=True) if word(line.get("head", head)) != head
    ]:
        broken.append(f"the head beside line {bent[0]} is not that of the lines up to it")
    for n in sorted(n for n in by_line if n > len(heads)):
        broken.append(f"the house signed line {n}, and the record ends at {len(heads)}: look again in a minute")
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
    if unsigned := min((n for n in locks.values() if n > answered), default=0):
        broken.append(f"the house has signed no head of the lock in line {unsigned}, nor a later one")
    guilty += quotes(stream, [item for item in signed if item["type"] == "quote"], answered)
    for item in signed:
        if item["type"] != "receipt" or item["n"] > answered:
            continue
        line = stream.lines[item["n"] - 1]
        if line["kind"] != BET or word(line["leaf"]) != word(item["state"]):
            guilty.append(f"the house signed a receipt for line {item['n']} that its own record does not hold")
        elif locks.get(word(line["question"]), item["n"]) < item["n"]:
            guilty.append(f"the house took the bet of line {item['n']} after its question was locked")
    broken += contents(stream)
    left_out, unclear = refusals(stream, [item for item in signed if item["type"] == "refusal"], answered)
    return guilty + left_out, broken + unclear


def quotes(stream: Stream, signed: list[dict], answered: int) -> list[str]:
    """Quotes that the house signed, and that are not what the record has on the line of their number."""
    guilty, by_number = [], defaultdict(set)
    for item in signed:
        by_number[number(item["number"])].add(stream.digest("Quote", item))
    for n, digests in by_number.items():
        if len(digests) > 1:
            guilty.append(f"the house signed {len(digests)} quotes of number {n}")
        elif n <= answered:
            line = stream.lines[n - 1]
            if line["kind"] != QUOTE or word(line["leaf"]) not in digests:
                guilty.append(f"the house signed a quote of number {n} that its own record does not hold")
    return guilty


def contents(stream: Stream) -> list[str]:
    """Where what is published of a line is not what the line commits to, or no observers' signatures bear it out."""
    faults, questions, leaves, roots, timed = [], {}, defaultdict(list), {}, set()
    booked, results, untimed = set(), set(), []
    until, epoch, is_whole = 0, 0, stream.is_whole
    for row in stream.rows:
        if row.get("what") == "question":
            digest = stream.digest("Question", row["question"])
            if digest in questions:
                faults.append(f"question 0x{digest.hex()} is there twice")
            questions[digest] = row["question"]
        elif row.get("what") == "book":
            key = word(row["question"])
            if key in booked:
                faults.append(f"the book of question {row['question']} is there twice")
            booked.add(key)
            digest = stream.report(questions[key], keccak(b"book" + key + roots[key]), CONFIRMED)
            if not stream.are_enough(digest, row["signatures"]):
                faults.append(f"too few observers signed the book of question {row['question']}")
        if "n" not in row:
            continue
        n, question, leaf = row["n"], word(row["question"]), word(row["leaf"])
        if is_whole and CONTENT.get(row["kind"], "n") not in row:
            faults.append(f"line {n} is published without what it is of")
        if row["kind"] == BET:
            leaves[question].append(leaf)
            untimed.append(row)
            if question in roots:
                faults.append(f"the bet of line {n} is after the lock of its question")
        elif row["kind"] == LOCK:
            if question in roots:
                faults.append(f"line {n} locks a question that was locked before")
            roots[question] = leaf
            if leaf != root_of(leaves[question]):
                faults.append(f"the book of line {n} is not of the bets that the record has")
        elif row["kind"] == QUOTE and "quote" in row:
            quote = row["quote"]
            if stream.digest("Quote", quote) != leaf or (number(quote["number"]), word(quote["question"])) != (
                n,
                question,
            ):
                faults.append(f"the quote of line {n} is not the one in the record")
            elif question in questions and number(quote["valid_until"]) > number(questions[question]["lock"]):
                faults.append(f"the quote of line {n} is good for longer than its question is open")
        elif row["kind"] == RESULT and "outcome" in row:
            if question in results:
                faults.append(f"line {n} decides a question that was decided before")
            results.add(question)
            if row["outcome"] is None:
                if leaf != bytes(32):
                    faults.append(f"line {n} has a result that is not published")
                continue
            digest = stream.report(questions[question], question, row["outcome"])
            if digest != leaf or not stream.are_enough(digest, row["signatures"]):
                faults.append(f"the result of line {n} is not one that enough observers signed")
        elif row["kind"] == ANSWERS and "answers" in row:
            batch = row["answers"]
            if not is_bound(row):
                faults.append(f"the answers of line {n} are not those in the record")
            if (
                batch["since"] < until
                or (row["epoch"] == epoch and batch["since"] != until)
                or batch["until"] < batch["since"]
            ):
                faults.append(f"the answers of line {n} do not begin where those before them end")
            until, epoch = batch["until"], row["epoch"]
            for of, _ in batch["bets"]:
                if of in timed or of >= n or stream.lines[of - 1]["kind"] != BET:
                    faults.append(f"line {n} has a time for line {of}, which is no bet before it, or has one already")
                timed.add(of)
            # Answers are noted in the order of their lines.
            last = max((of for of, _ in batch["bets"]), default=0)
            faults += [
                f"the bet of line {bet['n']} has no time, and a later one of its epoch has"
                for bet in untimed
                if bet["n"] < last and bet["epoch"] == row["epoch"] and bet["n"] not in timed
            ]
            untimed = [bet for bet in untimed if bet["n"] > last]
    return faults


def is_bound(line: dict) -> bool:
    """Whether a line is one of answers, and the answers beside it are those that its leaf commits to."""
    return (
        line["kind"] == ANSWERS
        and "answers" in line
        and keccak(text=json.dumps(line["answers"], separators=(",", ":"))) == word(line["leaf"])
    )


def refusals(stream: Stream, signed: list[dict], answered: int) -> tuple[list[str], list[str]]:
    """Refusals that the house signed and left out of its answers, or gave other reasons; and those nobody can judge."""
    published = {
        entry[0]: number(entry[1]) for line in stream.lines if is_bound(line) for entry in line["answers"]["refused"]
    }
    covered, epoch = [], None
    for line in stream.lines[:answered]:
        if is_bound(line):
            begin, end = line["answers"]["since"], line["answers"]["until"]
            covered.append((begin if line["epoch"] == epoch else begin + GRACE_MS, end))
            epoch = line["epoch"]
    last = max((end for _, end in covered), default=0)
    guilty, unclear = [], []
    for item in signed:
        code, at = number(item["code"]), number(item["refused_at"])
        listed = published.get("0x" + keccak(compact(item["signature"])).hex())
        if listed is not None and listed != code:
            guilty.append(f"the house signed refusal {code} of a state, and published it as {listed}")
        elif listed is None:
            if any(begin <= at < end for begin, end in covered):
                guilty.append(f"the house left its refusal {code} of {at} ms out of the answers that it published")
            elif at < last:
                unclear.append(f"refusal {code} of {at} ms is of a time of which the house has published no answers")
            else:
                unclear.append(f"refusal {code} of {at} ms is later than the answers published: look again in a minute")
    return guilty, unclear


def percentiles(times: list[int]) -> dict:
    """What 50 and 99 of 100 did not exceed, and the longest."""
    ordered = sorted(times)
    found = {f"p{percent}": ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None for percent in (50, 99)}
    return {**found, "most": ordered[-1] if ordered else None}


def figures(rows: list[dict]) -> dict:
    """What a stream's rows come to, as fairness.json has it."""
    lines = [row for row in rows if "n" in row]
    kinds, others = Counter(line["kind"] for line in lines), Counter(row["what"] for row in rows if "n" not in row)
    batches = [line["answers"] for line in lines if line["kind"] == ANSWERS]
    receipts = [took for batch in batches for _, took in batch["bets"]]
    entries = [entry for batch in batches for entry in batch["refused"]]
    reasons = Counter(name for _, _, name, _ in entries)
    reasons["too_many_requests"] += sum(batch["too_many"] for batch in batches)
    asked = len(receipts) + reasons.total()
    return {
        "rows": len(rows),
        "n": lines[-1]["n"] if lines else 0,
        "head": lines[-1]["head"] if lines else None,
        "epochs": kinds[EPOCH],
        "questions": others["question"],
        "quotes": kinds[QUOTE],
        "bets": kinds[BET],
        "books": kinds[LOCK],
        "books_confirmed": others["book"],
        "results": kinds[RESULT],
        "results_missing": sum(line["kind"] == RESULT and line["outcome"] is None for line in lines),
        "accepted": len(receipts),
        "refused": reasons.total(),
        "acceptance_ppm": len(receipts) * 1_000_000 // asked if asked else None,
        "refusals": {name: count for name, count in reasons.items() if count},
        "receipt_us": percentiles(receipts),
        "refusal_us": percentiles([took for *_, took in entries]),
        "since": batches[0]["since"] if batches else None,
        "covered_ms": sum(batch["until"] - batch["since"] for batch in batches),
    }


def compared(stream: Stream) -> tuple[dict, list[str]]:
    """The figures of the published rows, and where the published ones differ."""
    published = stream.published
    if published["rows"] > len(stream.rows):
        return {}, [f"figures of {published['rows']} rows are published, and {len(stream.rows)} rows"]
    found = figures(stream.rows[: published["rows"]])
    return found, [
        f"published is {name} = {published.get(name)}, by the record it is {value}"
        for name, value in found.items()
        if published.get(name) != value
    ]


def main(where: str, kept: str | None = None) -> int:
    """Audits a folder or URL, and prints what it shows."""
    try:
        stream = Stream(where, kept)
        guilty, broken = audit(stream)
        found, differences = compared(stream) if stream.published else ({}, [])
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        print(f"{where} cannot be read as a stream's record: {error!r}", file=sys.stderr)
        return UNREADABLE
    broken += differences
    print(stream.named)
    for text in guilty:
        print(f"CONVICTED: {text}")
    for text in broken:
        print(f"to look at: {text}")
    if not guilty and not broken:
        print(f"{len(stream.lines)} lines and {len(stream.signed)} signatures agree")
    for name, value in found.items():
        print(f"  {name}: {value}")
    return GUILTY if guilty else BROKEN if broken else CLEAN


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
