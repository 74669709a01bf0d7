"""The wheel: what people install has no compiler in it, and runs without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The built wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    name = subprocess.run(
        [sys.executable, "-c", f"import hatchling.build as b; print(b.build_wheel({str(folder)!r}))"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()[-1]
    with zipfile.ZipFile(folder / name) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_what_needs_the_compiler_is_not_in_the_wheel(wheel):
    parts = {path.name for path in (wheel / "tessera").iterdir()}
    assert {"chain", "index", "cli", "keeper", "model", "py.typed"} <= parts
    assert not {"deployment", "local", "demo"} & parts


def test_the_wheel_runs_without_the_compiler(wheel, tmp_path):
    script = "import sys; sys.modules['vyper'] = sys.modules['ape'] = None; from tessera.cli.main import cli; cli()"
    run = subprocess.run(
        [sys.executable, "-P", "-c", script, "--version"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(wheel), "PATH": ""},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, "Traceback" in run.stderr) == (0, False), run.stderr
    assert "0.1.0" in run.stdout


def test_scripts_load_with_what_make_demo_installs(tmp_path):
    """`ape run` loads them all: what one of them lacks is an error before everybody's command."""
    script = (
        "import importlib, sys; sys.modules.update(dict.fromkeys(('psycopg', 'cv2', 'pytest', 'boa')))\n"
        f"for name in {sorted(path.stem for path in (ROOT / 'scripts').glob('*.py'))}:\n"
        "    importlib.import_module('scripts.' + name)"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
