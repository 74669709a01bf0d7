"""Where the compiler looks for what contracts import."""

import runpy
import site
from pathlib import Path


def test_folders_that_a_python_names_and_has_not_are_left_out(monkeypatch, tmp_path):
    """Debian's names `.venv/local/lib/...`, and the compiler refuses what is not there."""
    missing = tmp_path / "local"
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(missing), str(tmp_path)])
    search = runpy.run_module("tessera.deployment.artifacts")["SEARCH"]
    assert str(missing) not in search
    assert search[1:] == [str(tmp_path)]
    assert Path(search[0], "contracts").is_dir()
