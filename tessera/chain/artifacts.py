"""The compiled contracts of this repository. Needs the compiler and snekmate (dependency group `ops`)."""

import hashlib
import json
import os
import site
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from web3 import Web3

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
CACHE = ROOT / ".build" / "artifacts"


@dataclass(frozen=True)
class Artifact:
    """One compiled contract. On chain its immutables follow the runtime code."""

    name: str
    abi: list[dict[str, Any]]
    initcode: bytes
    runtime: bytes
    compiler: str

    @property
    def initcode_hash(self) -> str:
        return Web3.to_hex(Web3.keccak(self.initcode))

    def creation_data(self, arguments: list[Any]) -> bytes:
        """The data of the transaction that creates it."""
        contract = Web3().eth.contract(abi=self.abi, bytecode=self.initcode)
        return bytes.fromhex(contract.constructor(*arguments).data_in_transaction[2:])


@cache
def compiled(name: str) -> Artifact:
    """A contract of `contracts/` or `contracts/devnet/` by name, compiled with the compiler's default settings.

    Compiling takes seconds, so what came out is kept in `.build/`, under a hash of all that could have gone in.
    """
    path = CONTRACTS / f"{name}.vy"
    if not path.exists():
        path = CONTRACTS / "devnet" / f"{name}.vy"
    kept = CACHE / f"{name}-{_sources_hash()}.json"
    if not kept.exists():
        from vyper.cli.vyper_compile import compile_files

        search = [str(ROOT), *site.getsitepackages()]
        (found,) = compile_files([path], ["abi", "bytecode", "bytecode_runtime"], paths=search).values()
        CACHE.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(found), encoding="utf-8")
        draft.replace(kept)
    found = json.loads(kept.read_text(encoding="utf-8"))
    return Artifact(
        name=name,
        abi=found["abi"],
        initcode=bytes.fromhex(found["bytecode"][2:]),
        runtime=bytes.fromhex(found["bytecode_runtime"][2:]),
        compiler=f"vyper {version('vyper')}",
    )


@cache
def _sources_hash() -> str:
    digest = hashlib.sha256(f"vyper {version('vyper')} snekmate {version('snekmate')}".encode())
    for path in sorted(CONTRACTS.rglob("*.vy*")):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
