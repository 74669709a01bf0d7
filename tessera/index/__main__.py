"""`python -m tessera.index`: see docs/index.md."""

from tessera.index.cli import cli

if __name__ == "__main__":
    cli(prog_name="python -m tessera.index")
