"""Make `ape test` and `ape run` see edits to modules and interfaces, and map traces to source lines.

Ape compares only a contract's own file with its build, not what the file imports, and ape-vyper 0.8.12 asks for the
source map of the deployment code. Both are repaired here; see docs/decisions/0001-tools.md.
"""

from pathlib import Path

from ape_vyper.compiler._versions import vyper_04

ROOT = Path(__file__).parent
BUILD = ROOT / ".build" / "__local__.json"


def _forget_stale_build():
    newest = max(p.stat().st_mtime for p in (ROOT / "contracts").rglob("*.vy*"))
    if BUILD.exists() and BUILD.stat().st_mtime < newest:
        BUILD.unlink(missing_ok=True)


def _with_runtime_map(binary, files, root, output_format=None, **kwargs):
    wanted = ["source_map_runtime" if f == "source_map" else f for f in output_format or []]
    found = _compile_files(binary, files, root, output_format=wanted, **kwargs)
    for items in found.values():
        if "source_map_runtime" in items:
            items["source_map"] = items.pop("source_map_runtime")
    return found


_compile_files = vyper_04.compile_files
vyper_04.compile_files = _with_runtime_map
_forget_stale_build()
