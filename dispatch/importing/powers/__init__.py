"""A power list as it circulates (Excel, CSV) made into `powers.csv`; `docs/powers.md`."""
