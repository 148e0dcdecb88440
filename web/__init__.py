"""HOW PEOPLE SEE IT: the JSON interface, the live stream, the pages, the analysts' files."""
