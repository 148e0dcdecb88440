"""The plate: its size, its glyphs, its threads."""

from __future__ import annotations

import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dispatch.errors import FontMissing
from tests.analyst import november, small_district, some_cases
from web import captions, plates
from web.captions import columns, wrapped
from web.plates import chinese_font, plate
from web.tally import Tally, tally

ARTEFACTS = Path(__file__).parent / "artefacts"


def _tally(n: int, **chosen: object) -> Tally:
    district = small_district()
    return tally(some_cases(district, n), district, november(**chosen))


def _draw(counted: Tally) -> bytes:
    """The plate; a glyph that is not in the font, or any other complaint of matplotlib's, is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return plate(counted)


@pytest.mark.parametrize(
    ("name", "n", "chosen"), [("plain", 500, {}), ("empty", 0, {}), ("zone", 90, {"zone": "900000"})]
)
def test_a_plate_is_drawn_with_all_its_glyphs(name: str, n: int, chosen: dict[str, str]) -> None:
    drawn = _draw(_tally(n, **chosen))
    ARTEFACTS.mkdir(exist_ok=True)
    (ARTEFACTS / f"plate-{name}.png").write_bytes(drawn)
    image = Image.open(io.BytesIO(drawn))
    assert image.format == "PNG"
    assert image.size == (3200, 1800)
    pixels = np.asarray(image.convert("RGB")).astype(int)
    assert (pixels[60:180, 90:900] < 60).all(axis=2).any()  # the title
    if name == "plain":  # red and orange fall in the west, where half of the cases are thrown
        drawn_map = pixels[:, :2350]
        warm = (drawn_map[..., 0] > 220) & (drawn_map[..., 1] < 200) & (drawn_map[..., 2] < 120)
        assert warm.sum() > 2000
        assert np.nonzero(warm)[1].mean() < 1150


def test_plates_are_drawn_in_several_threads_at_once() -> None:
    counted = [_tally(n) for n in (0, 300)]
    alone = [_draw(one) for one in counted]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(plate, counted)) == alone


def test_the_chinese_face_is_the_simplified_one() -> None:
    assert chinese_font().endswith(("SC", "CN", "YaHei"))


def test_no_chinese_font_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plates, "FONTS", ("No Such Font",))
    monkeypatch.setattr(plates, "FONT_FILES", ("nosuchfont",))
    with pytest.raises(FontMissing) as refused:
        plate(_tally(3))
    assert "fonts-noto-cjk" in (refused.value.hint("en") or "")


def test_a_font_newer_than_matplotlibs_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = plates.fontManager
    monkeypatch.setattr(manager, "ttflist", [entry for entry in manager.ttflist if "CJK" not in entry.name])
    assert chinese_font() == "Noto Sans CJK SC"
    assert os.path.basename(manager.findfont("Noto Sans CJK SC")).startswith("NotoSansCJK")  # noqa: PTH119


@given(st.text(alphabet="案件：区界，。abc xyz-12 ", max_size=80), st.integers(8, 40))
def test_wrapped_lines_keep_every_character_and_their_width(text: str, width: int) -> None:
    lines = list(wrapped(text, width))
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        # A piece with no place to break is left whole: a word, or a character with the punctuation after it.
        assert columns(line) <= width or len(list(captions._words(line))) == 1
