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
# Some Pythons, Debian's for one, name folders that are not there, which the compiler refuses.
SEARCH = [str(ROOT), *filter(os.path.isdir, site.getsitepackages())]


@dataclass(frozen=True)
class Artifact:
    """One compiled contract. On chain its immutables follow the runtime code."""

    name: str
    abi: list[Any]
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


def compiled(name: str) -> Artifact:
    """A contract of `contracts/` or `contracts/devnet/` by name, compiled with the compiler's default settings."""
    return compiled_file(source_of(name))


@cache
def compiled_file(path: Path) -> Artifact:
    """A Vyper file, compiled with the compiler's default settings. What it imports is in `contracts/` or a package.

    Compiling takes seconds, so what came out is kept in `.build/`, under a hash of all that could have gone in.
    """
    name = path.stem
    digest = hashlib.sha256(f"{path}\0{_sources_hash()}\0".encode() + path.read_bytes()).hexdigest()[:16]
    kept = CACHE / f"{name}-{digest}.json"
    if not kept.exists():
        from vyper.cli.vyper_compile import compile_files

        (output,) = compile_files([str(path)], ["abi", "bytecode", "bytecode_runtime"], paths=SEARCH).values()
        CACHE.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(output), encoding="utf-8")
        draft.replace(kept)
    output = json.loads(kept.read_text(encoding="utf-8"))
    return Artifact(
        name=name,
        abi=output["abi"],
        initcode=bytes.fromhex(output["bytecode"][2:]),
        runtime=bytes.fromhex(output["bytecode_runtime"][2:]),
        compiler=f"vyper {version('vyper')}",
    )


def source_of(name: str) -> Path:
    """The file of a contract of `contracts/` or `contracts/devnet/`."""
    path = CONTRACTS / f"{name}.vy"
    return path if path.exists() else CONTRACTS / "devnet" / f"{name}.vy"


def imported_sources(name: str) -> list[Path]:
    """The files that a contract is compiled from: its own and all that it imports, however indirectly."""
    from vyper.compiler import CompilerData
    from vyper.compiler.input_bundle import FilesystemInputBundle

    bundle = FilesystemInputBundle([Path(path) for path in SEARCH])
    top = CompilerData(bundle.load_file(source_of(name)), bundle).annotated_vyper_module
    sources: list[Path] = []
    waiting = [top._metadata["type"]]
    while waiting:
        module = waiting.pop()
        path = Path(module._module.resolved_path)
        if path not in sources:
            sources.append(path)
            waiting += [info.module_t for info in module.imported_modules.values()]
    return sources


@cache
def _sources_hash() -> str:
    digest = hashlib.sha256(f"vyper {version('vyper')} snekmate {version('snekmate')}".encode())
    for path in sorted(CONTRACTS.rglob("*.vy*")):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
