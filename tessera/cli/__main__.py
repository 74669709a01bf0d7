"""`python -m tessera.cli`, the same as `tessera`."""

from tessera.cli.main import cli

if __name__ == "__main__":
    cli()
