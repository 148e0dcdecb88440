"""A power list as the enforcement of a case asks it: what an item allows in a tier, and whether on the spot. Pure."""

from __future__ import annotations

from dispatch.enforcement import Discretion, Range, unlisted
from dispatch.errors import NotOnTheSpot, UnknownPower, UnknownTier
from dispatch.powers.book import PowerList
from dispatch.powers.model import Procedure
from dispatch.powers.ranges import money
from dispatch.powers.search import folded


def by_list(powers: PowerList) -> Discretion:
    """What the list allows; a district without a list holds nothing against anybody.

    A tier is named by its circumstances as the list has them; width, case and blanks do not matter. The discretion
    raises `UnknownPower`, `NotOnTheSpot` for an item that the list gives the general procedure alone, and `UnknownTier`
    where the item has tiers and none is so called.
    """
    if not powers:
        return unlisted

    def discretion(power: str, tier: str, on_the_spot: bool) -> Range | None:
        if power not in powers:
            raise UnknownPower({"field": "procedure.power"}, power=power)
        item = powers[power]
        if on_the_spot and item.procedure is not Procedure.SUMMARY:
            raise NotOnTheSpot({"field": "procedure.power"}, power=power, name=item.name)
        if not item.tiers:
            return None
        named = [one for one in item.tiers if folded(one.circumstances) == folded(tier)]
        if not named:
            known = "；".join(one.circumstances for one in item.tiers)
            raise UnknownTier({"field": "procedure.tier"}, power=power, tier=tier, known=known)
        allows = money(named[0].range)
        return Range(*allows) if allows else None

    return discretion
