"""What to do about a revert reason: the text of reasons.toml, which `frontend-abi/` carries too."""

import tomllib
from functools import cache
from importlib.resources import files


@cache
def explanations() -> dict[str, str]:
    """Reason to advice, for the reasons that do not say it all."""
    return tomllib.loads((files("tessera.chain") / "reasons.toml").read_text(encoding="utf-8"))


def advice(reason: str) -> str:
    """What a person can do about a reason; empty where there is nothing to add."""
    return explanations().get(reason, "")
