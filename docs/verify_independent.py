"""Checks an export of the record (`onegrid audit export FILE`) with Python's standard library and nothing of OneGrid.

Prints {"passed", "cases", "events", "checkpoints", "breaks": [{"problem", "case", "seq", "checkpoint"}]}, exits 0 or 1;
record.md says what every word means. Ed25519 is RFC 8032, 5.1.7, in plain Python: some milliseconds a signature.
"""

import argparse
import json
import sys
from hashlib import sha256, sha512

P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e, f, g, h = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2), 2 * t1 * t2 * D, 2 * z1 * z2
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, a):
    total = (0, 1, 1, 0)
    while n:
        total, a, n = (add(total, a) if n & 1 else total), add(a, a), n >> 1
    return total


def point(encoded):
    y, sign = int.from_bytes(encoded, "little") & (1 << 255) - 1, encoded[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if len(encoded) != 32 or y >= P or x * x % P != square or (x == 0 and sign):
        raise ValueError("no point of the curve")
    return (x, y, 1, x * y % P) if x % 2 == sign else (P - x, y, 1, (P - x) * y % P)


def signed(key, message, signature):
    try:
        a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    except (ValueError, IndexError):
        return False
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % ORDER
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    (x1, y1, z1, _), (x2, y2, z2, _) = times(s, base), add(r, times(k, a))
    return len(signature) == 64 and s < ORDER and (x1 * z2 - x2 * z1) % P == 0 == (y1 * z2 - y2 * z1) % P


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def tree(leaves):
    """(root, cases, events) over {case: (seq, seal)}, level by level; the last of an odd number goes up as it is."""
    level = [sha256(b"\0" + canonical([case, *leaves[case]])).digest() for case in sorted(leaves)]
    while len(level) > 1:
        pairs = [sha256(b"\1" + one + other).digest() for one, other in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[2 * len(pairs) :]
    return (level[0] if level else sha256(b"").digest()).hex(), len(leaves), sum(seq for seq, _ in leaves.values())


def own_flaw(checkpoint, trusted):
    said = canonical({name: checkpoint[name] for name in checkpoint if name not in ("digest", "signature")})
    key, signature = (bytes.fromhex(checkpoint[name]) for name in ("key", "signature"))
    if sha256(said).hexdigest() != checkpoint["digest"]:
        return "checkpoint"
    return "signature" if not signed(key, said, signature) else "key" if trusted and key not in trusted else None


def checkpoints_of(lines):
    """[(checkpoint, leaves), ...] from the front of a file, and the line after them."""
    found = []
    for line in lines:
        if "checkpoint" in line:
            found.append((line["checkpoint"], []))
        elif "leaf" in line:
            found[-1][1].append(line["leaf"])
        elif "export" not in line:
            return found, line
    return found, None


def case_flaw(head, events):
    """The first thing that is wrong with one case, and at which step: [(event, seal), ...] is its chain."""
    before, seq = "0" * 64, 0
    for seq, (event, seal) in enumerate(events, start=1):
        if event["seq"] != seq or event["prev"] != before:
            return ("sequence" if event["seq"] != seq else "link"), seq
        if sha256(canonical(event)).hexdigest() != seal:
            return "seal", seq
        before = seal
    if not events or (head["seq"], head["seal"]) != (seq, before):
        return ("head" if events else "empty"), max(head["seq"], seq) if events else 0
    return ("projection", seq) if events[-1][0]["data"]["after"] != head["after"] else None


def main(given):
    breaks, seals, cases, count = [], {}, set(), 0  # breaks: (problem, case, seq, checkpoint)

    def hold(number, leaves):
        for case, seq, _ in (leaf for leaf in leaves if seals.get((leaf[0], leaf[1])) != leaf[2]):
            problem = "rewritten" if (case, seq) in seals else "cut" if case in cases else "removed"
            breaks.append((problem, case, seq, number))

    files = [checkpoints_of(map(json.loads, open(name, "rb")))[0][0] for name in given.checkpoint]
    trusted = given.key and {bytes.fromhex(key) for key in given.key + [one["key"] for one, _ in files]}
    lines = map(json.loads, open(given.export, "rb"))
    kept, head = checkpoints_of(lines)
    while head:
        events, line = [], next(lines, None)
        while line and "event" in line:
            events, line = [*events, (line["event"], line["seal"])], next(lines, None)
        flaw = case_flaw(head, events) if head["seal"] else ("orphan", events[0][0]["seq"])
        cases |= {head["case"]} if head["seal"] else set()
        seals |= {(head["case"], event["seq"]): seal for event, seal in events}
        breaks += [(flaw[0], head["case"], flaw[1], 0)] if flaw else []
        head, count = line, count + len(events)
    leaves, last = {}, {"number": 0, "digest": "0" * 64}
    for one, changed in kept:
        leaves |= {case: (seq, seal) for case, seq, seal in changed}
        follows = (one["number"], one["prev"]) == (last["number"] + 1, last["digest"])
        is_root = tree(leaves) == (one["root"], one["cases"], one["events"])
        problems = own_flaw(one, trusted), not follows and "chain", not is_root and "tree"
        breaks += [(problem, "", 0, one["number"]) for problem in problems if problem]
        hold(one["number"], changed)
        last = one
    digests = {one["number"]: one["digest"] for one, _ in kept}
    for one, whole in files:
        if digests.get(one["number"]) != one["digest"]:
            breaks.append(("replaced" if one["number"] in digests else "lost", "", 0, one["number"]))
        found = tree({case: (seq, seal) for case, seq, seal in whole})
        if own_flaw(one, ()) or (whole and found != (one["root"], one["cases"], one["events"])):
            breaks.append(("file", "", 0, one["number"]))
        hold(one["number"], whole)
    told = [dict(zip(("problem", "case", "seq", "checkpoint"), one, strict=True)) for one in breaks]
    return {"passed": not breaks, "cases": len(cases), "events": count, "checkpoints": len(kept), "breaks": told}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", help="written by: onegrid audit export FILE")
    parser.add_argument("--checkpoint", action="append", default=[], help="a checkpoint that was exported before")
    parser.add_argument("--key", action="append", default=[], help="a public key that is trusted, hexadecimal")
    answer = main(parser.parse_args())
    print(json.dumps(answer, ensure_ascii=False))
    sys.exit(0 if answer["passed"] else 1)
