"""Solidity of npm packages, compiled by npm's solc at test time and kept in `.build/`."""

import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tessera.deployment.artifacts import ROOT
from tests.real.foreign import NODE_MODULES, node_module

CACHE = ROOT / ".build" / "solidity"
WANTED = ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences"]


@cache
def compiled_files(
    files: Sequence[str],
    remappings: Sequence[str],
    packages: Sequence[str],
    stand_ins: Sequence[tuple[str, Path]] = (),
) -> dict[str, dict]:
    """The contracts named like their files (paths below `node_modules`), by name.

    Each as the compiler's standard JSON has it: "abi", "evm". `stand_ins` are files of this repository, each with the
    path by which the packages import it. Compiling takes some 20 s, so the answer is kept under a hash of the request
    and of what package-lock.json says that the packages contain.
    """
    request = {
        "language": "Solidity",
        # Under names of their own: two files may declare the same interface.
        "sources": {
            "all.sol": {"content": "".join(f"import '{path}' as M{i};" for i, path in enumerate(files))},
            **{path: {"content": file.read_text(encoding="utf-8")} for path, file in stand_ins},
        },
        "settings": {
            "remappings": list(remappings),
            "optimizer": {"enabled": True, "runs": 200},
            "evmVersion": "cancun",
            "outputSelection": {path: {Path(path).stem: WANTED} for path in files},
        },
    }
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    contents = [lock[f"node_modules/{package}"]["integrity"] for package in ("solc", *packages)]
    digest = hashlib.sha256(json.dumps([request, contents], sort_keys=True).encode()).hexdigest()[:16]
    kept = CACHE / f"{digest}.json"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(_compile(request)), encoding="utf-8")
        draft.replace(kept)
    output = json.loads(kept.read_text(encoding="utf-8"))
    return {Path(path).stem: output[path][Path(path).stem] for path in files}


def _compile(request: dict) -> dict:
    answer = CACHE / f"answer.{os.getpid()}"
    with answer.open("w") as file:  # solcjs leaves before a pipe has taken all
        subprocess.run(
            ["node", node_module("solc/solc.js"), "--standard-json", "--base-path", NODE_MODULES],
            input=json.dumps(request),
            text=True,
            stdout=file,
            check=True,
        )
    text = answer.read_text(encoding="utf-8")
    answer.unlink()
    output = json.loads(text[text.index("{") :])  # a line about SMT solvers comes first
    errors = [error["formattedMessage"] for error in output.get("errors", []) if error["severity"] == "error"]
    assert not errors, "\n".join(errors)
    return output["contracts"]
