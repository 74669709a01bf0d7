"""The page is built where it is not what its sources make, once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest

from tessera.local import page


@pytest.fixture
def web(tmp_path, monkeypatch) -> Path:
    """A folder with a page's sources, and a build that lists them."""
    web = tmp_path / "web"
    for name in ("package.json", "src/App.svelte", "node_modules/.package-lock.json"):
        (web / name).parent.mkdir(parents=True, exist_ok=True)
        (web / name).write_text(name)
    for name, value in {
        "ROOT": tmp_path,
        "WEB": web,
        "SOURCES": (web,),
        "DIST": web / "dist",
        "BUILT": web / "dist" / ".built",
    }.items():
        monkeypatch.setattr(page, name, value)
    monkeypatch.setattr(page.shutil, "which", lambda _: "npm")
    return web


@pytest.fixture
def builds(web, monkeypatch) -> list[str]:
    """What npm was asked to do."""
    asked = []

    def npm(*arguments: str) -> None:
        asked.append(" ".join(arguments[:2]))
        page.DIST.mkdir(exist_ok=True)

    monkeypatch.setattr(page, "npm", npm)
    return asked


def test_a_page_is_built_once(builds):
    with ThreadPoolExecutor(4) as pool:
        for build in [pool.submit(page.build) for _ in range(4)]:
            build.result()
    assert builds == ["run build"]


def changed(web: Path):
    (web / "src" / "App.svelte").write_text("src/App.sveltE")


def added(web: Path):
    (web / "src" / "Other.svelte").write_text("")


def renamed(web: Path):
    (web / "src" / "App.svelte").rename(web / "src" / "Main.svelte")


def removed(web: Path):
    (web / "src" / "App.svelte").unlink()


def cut_elsewhere(web: Path):
    """The same characters in a row, between other files."""
    (web / "src" / "App.svelte").write_text("src/App.")
    (web / "src" / "B").write_text("svelte")


@pytest.mark.parametrize(
    "change", [changed, added, renamed, removed, cut_elsewhere], ids=lambda change: change.__name__
)
def test_a_page_is_built_again_after_a_change(change, web, builds):
    page.build()
    change(web)
    page.build()
    page.build()
    assert builds == ["run build"] * 2


def test_what_was_made_is_no_source(web, builds):
    page.build()
    (web / "dist" / "index.html").write_text("made")
    (web / "node_modules" / "more").write_text("installed")
    page.build()
    assert builds == ["run build"]


def test_a_build_that_failed_is_tried_again(web, builds, monkeypatch):
    page.build()
    changed(web)
    with monkeypatch.context() as context:
        context.setattr(page, "npm", no_build)
        with pytest.raises(click.ClickException):
            page.build()
    page.build()
    assert builds == ["run build"] * 2


def no_build(*_):
    raise click.ClickException("npm run failed")
