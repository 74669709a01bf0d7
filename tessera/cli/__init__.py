"""`tessera`: what people do, in a terminal. The same functions as the page and `ape run`: see docs/cli.md."""
