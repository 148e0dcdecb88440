/** Who looks at this phone: the team, and the vehicle or boat, as somebody chose. */

const KEPT = "onegrid.field.team";

export interface Me {
  team: string;
  /** Empty: the whole team. */
  unit: string;
}

export function keptMe(): Me {
  const [team = "", unit = ""] = (localStorage.getItem(KEPT) ?? "").split(" ");
  return { team, unit };
}

export function keepMe(me: Me): void {
  localStorage.setItem(KEPT, `${me.team} ${me.unit}`);
}
