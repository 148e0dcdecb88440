"""The sample district's own days and shifts: all of it made, to show what such tables hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

DUTY = "D01"
"""The brigade that always has somebody, and goes at night for those who do not."""
TURNS = {"J01": 3, "J02": 3, DUTY: 2, "S03": 2}
"""Teams whose vehicles take turns of a day and a night, one after the other."""
NIGHTS = (("T02", "T03"), ("T04", "T05"), ("T07", "T08"))
"""Neighbouring townships one of which has a vehicle on duty each night, in turn; it goes for the other too."""
MOST_OPEN = 60
WATER = (
    ("N", "夜班", "Night", "W01-V2|W01-B1|W01-B4", "00:00", "08:00"),
    ("D", "早班", "Day", "W01-V1|W01-V2|W01-B2|W01-B3|W01-B5|W01-B6|W01-B7|W01-B8", "08:00", "16:00"),
    ("E", "中班", "Evening", "W01-V1|W01-B1|W01-B3|W01-B5", "16:00", "24:00"),
)
CALENDAR = """
2026-12-12|working|示意：年末集中整治，周六上班 / made: a Saturday worked
2026-12-14|off|示意：补休 / made: a day off for it
"""
MADE = "（示意）"


def stand_in(team: str) -> str:
    """Who goes while nobody of a team is on duty."""
    if team in TURNS or team == "W01":
        return ""
    partner = {a: b for pair in NIGHTS for a, b in (pair, pair[::-1])}
    first = {"T01": "J01|J02", "T06": "T05", **partner}.get(team)
    return f"{first}|{DUTY}" if first else DUTY


def shifts(teams: Sequence[Sequence[str]], units: Sequence[Sequence[object]]) -> Iterator[tuple[object, ...]]:
    """Code, name, English name, team, units, days, start, end, first day, every so many days."""
    for code, _zh, _en, kind, _base in teams:
        own = [str(unit[0]) for unit in units if unit[3] == code]
        if kind == "water":
            for letter, zh, en, boats, start, end in WATER:
                yield f"{code}-{letter}", zh + MADE, f"{en} (made)", code, boats, "", start, end, "", ""
        elif code in TURNS:
            for k, unit in enumerate(own[: TURNS[code]], 1):
                turn = f"{code}-{k}", f"第{k}班{MADE}", f"Turn {k} (made)"
                yield *turn, code, unit, "", "08:00", "08:00", f"2026-01-{k:02d}", TURNS[code]
            yield f"{code}-D", f"日班{MADE}", "Day (made)", code, "", "working", "08:30", "17:30", "", ""
        else:
            yield f"{code}-D", f"日班{MADE}", "Day (made)", code, "", "working", "08:30", "17:30", "", ""
            if kind == "township":
                first, last = own[0], own[-1]
                yield f"{code}-E", f"晚班{MADE}", "Evening (made)", code, first, "working", "17:30", "21:00", "", ""
                yield f"{code}-W", f"节假日值班{MADE}", "Days off (made)", code, last, "off", "08:30", "17:30", "", ""
                for night in (pair.index(code) + 1 for pair in NIGHTS if code in pair):
                    turn = f"2026-01-{night:02d}", 2
                    yield f"{code}-N", f"轮值夜班{MADE}", "Night (made)", code, first, "", "17:30", "08:30", *turn
