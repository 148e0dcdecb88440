"""Reading the files of a district folder: what cannot be read is named with file, row and field; nothing is guessed."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geo.findings import Finding
from geo.grid import Feature, read_features


@dataclass(frozen=True, slots=True)
class Column:
    """How a column's text becomes a value: `parse` raises ValueError for what is not `expected`."""

    parse: Callable[[str], Any]
    expected: str
    absent: str | None = None
    """The text of its cells in a file that has no such column; None: it must have it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file's rows that are right in themselves, by code; `codes` are those of the wrong ones too."""

    rows: Mapping[str, Mapping[str, Any]]
    codes: frozenset[str]
    numbers: Mapping[str, int]
    """Line of the file on which a code's row begins; the header is line 1."""


def _words(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _digits(n: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not (len(text) == n and text.isascii() and text.isdigit()):
            raise ValueError(text)
        return text

    return parse


def _one_of(names: Sequence[str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(text)
        return text

    return parse


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return parse


def _hours(text: str) -> float:
    value = float(text)
    if not 0 < value < 100_000:
        raise ValueError(text)
    return value


CODE = Column(_words, "非空 / not empty")
TEXT = Column(str, "")
HOURS = Column(_hours, "> 0")
TRUTH = Column(lambda text: {"true": True, "false": False}[_one_of(("true", "false"))(text)], "true | false")


def optional(column: Column) -> Column:
    """The same, or an empty cell or no such column at all, which is None."""
    return Column(lambda text: column.parse(text) if text else None, f"{column.expected}，或空 / or empty", absent="")


def digits(n: int) -> Column:
    """A code of exactly n digits."""
    return Column(_digits(n), "0" * n + "–" + "9" * n)


def one_of(names: Sequence[str]) -> Column:
    """One of these words."""
    return Column(_one_of(names), " | ".join(names))


def whole(low: int, high: int) -> Column:
    """A whole number from low to high."""
    return Column(_whole(low, high), f"{low}–{high}")


@dataclass(slots=True)
class Reading:
    """A folder while it is being read, with all that was found wrong so far."""

    folder: Path
    findings: list[Finding] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    """Every file that was read: what the version is the hash of."""

    def wrong(self, code: str, layer: str, *zones: str, **data: object) -> None:
        """Note a finding that has no place on the map."""
        self.findings.append(Finding(code, layer, zones, data))

    def text(self, file: str, *, required: bool = True) -> str | None:
        """The file as text, None (and named) if it is missing or not UTF-8. A byte order mark is passed over."""
        path = self.folder / file
        if not path.is_file():
            if required:
                self.wrong("file_missing", file)
            return None
        raw = path.read_bytes()
        self.contents[file] = raw
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            gbk = _is_gbk(raw)
            self.wrong(
                "not_utf8",
                file,
                row=raw.count(b"\n", 0, error.start) + 1,
                byte=error.start,
                guess_zh="，看来是 GBK" if gbk else "",
                guess=", it looks like GBK" if gbk else "",
            )
            return None

    def toml(self, file: str) -> dict[str, Any] | None:
        """The TOML file, None (and named) if it is none."""
        text = self.text(file)
        if text is None:
            return None
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.wrong("bad_toml", file, problem=str(error))
            return None

    def features(self, file: str, *, required: bool = True) -> list[Feature] | None:
        """The file's GeoJSON features, None (and named) if it has none to give."""
        text = self.text(file, required=required)
        if text is None:
            return None
        try:
            return read_features(text)
        except (ValueError, RecursionError) as error:
            self.wrong("bad_json", file, problem=str(error))
            return None

    def table(
        self, file: str, columns: Mapping[str, Column], *, key: str = "code", required: bool = True
    ) -> Table | None:
        """The CSV file by its `key` column, every wrong row named; None if it cannot be read to its end."""
        text = self.text(file, required=required)
        if text is None:
            return None
        lines = self._lines(file, text)
        if lines is None:
            return None
        header = [cell.strip() for cell in lines[0][1]] if lines else []
        missing = [name for name, column in columns.items() if name not in header and column.absent is None]
        if missing:
            self.wrong("columns_missing", file, columns=", ".join(missing))
            return None
        rows: dict[str, Mapping[str, Any]] = {}
        numbers: dict[str, int] = {}
        for number, cells in lines[1:]:
            told = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            code = told.get(key, "")
            if len(cells) != len(header):
                self.wrong("ragged_row", file, row=number, found=len(cells), expected=len(header))
                values = None
            else:
                values = self._values(file, number, told, columns)
            if code in numbers:
                self.wrong("duplicate_code", file, code, code_=code, places=f"{numbers[code]}, {number}", row=number)
                continue
            numbers[code] = number
            if values is not None:
                rows[code] = values
        return Table(rows, frozenset(numbers), numbers)

    def _lines(self, file: str, text: str) -> list[tuple[int, list[str]]] | None:
        """The rows that are not blank, each with the line of the file on which it begins; None if they break off."""
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        out: list[tuple[int, list[str]]] = []
        number = 1
        try:
            for cells in lines:
                if any(cell.strip() for cell in cells):
                    out.append((number, cells))
                number = lines.line_num + 1
        except csv.Error as error:
            self.wrong("bad_csv", file, row=number, problem=str(error))
            return None
        return out

    def _values(
        self, file: str, number: int, told: Mapping[str, str], columns: Mapping[str, Column]
    ) -> Mapping[str, Any] | None:
        values: dict[str, Any] = {}
        for name, column in columns.items():
            text = told.get(name, column.absent or "")
            try:
                values[name] = column.parse(text)
            except ValueError:
                self.wrong("bad_value", file, row=number, field=name, value=text, expected=column.expected)
        return values if len(values) == len(columns) else None

    def refer(
        self,
        file: str,
        table: Table | None,
        column: str,
        target: str,
        known: frozenset[str] | None,
        part: slice = slice(None),
    ) -> None:
        """Name every row whose `column` (that part of it) is not among the `known` codes of `target`.

        Nothing is said where either could not be read (None).
        """
        for code, row in table.rows.items() if table and known is not None else ():
            value = row[column][part]
            if known is not None and value not in known:
                line = table.numbers[code] if table else 0
                told = {"where": f"{code} ({file}:{line})", "field": column, "target": target, "row": line}
                self.wrong("unknown_reference", file, code, **told, value=value)


def _is_gbk(raw: bytes) -> bool:
    try:
        raw.decode("gbk")
    except UnicodeDecodeError:
        return False
    return True
