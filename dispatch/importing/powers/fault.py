"""What a cell that is not understood raises; caught where its row is reported."""

from __future__ import annotations


class CellFault(Exception):
    """A cell that is not understood. `why`: a code of `report.WHY`; `text`: what was not understood."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(why)
        self.why = why
        self.text = text
