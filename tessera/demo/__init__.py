"""A season of friends' markets on real matches, played on the embedded chain, with its report (docs/demo.md)."""
