"""docs/club.md says what there is: settings, commands, codes, methods."""

import re
import tomllib
from pathlib import Path

from tessera.cli.club import club
from tessera.club.refusals import STATUS
from tessera.club.rpc import METHODS
from tessera.club.settings import Gas, Limits, Settings

PAGE = (Path(__file__).parents[3] / "docs" / "club.md").read_text()


def test_each_setting_is_in_the_table_and_no_other():
    table = PAGE.split("| key | | where it is missing |")[1].split("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    named = {name for cell in first_cells for name in re.findall(r"`([\w.]+)`", cell)}
    settings = {name for name in Settings.model_fields if name not in ("gas", "limits", "devnet_account")}
    settings |= {f"gas.{name}" for name in Gas.model_fields} | {f"limits.{name}" for name in Limits.model_fields}
    assert named == settings


def test_the_example_is_taken():
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])
    assert Settings.model_validate(example).gas.quota == 10**16 // 40


def test_each_command_exists_and_is_named():
    assert set(re.findall(r"(?:tessera|KEY) club (\w+)", PAGE)) == set(club.commands)


def test_each_code_has_its_status():
    codes = PAGE.split("### Errors")[1].split("###")[0]
    assert dict(re.findall(r"`(\w+)` (\d{3})", codes)) == {code: str(status) for code, status in STATUS.items()}


def test_each_method_is_named():
    methods = next(line for line in PAGE.splitlines() if line.startswith("Methods: "))
    assert set(re.findall(r"(?:eth|net)_\w+", methods)) == METHODS
