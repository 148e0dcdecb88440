/** What is said of the same thing reported again. */

import { words } from "../../shared/i18n";

export const t = words(
  {
    asking: "正在查看附近…",
    already: "附近已有相同上报",
    hint: "是同一件就并入：您的上报会保留，办结后一并答复您。",
    same: "是同一件，并入",
    another: "不是，另报",
    back: "返回修改",
    away: "相距 {d}",
    before: "{span}前",
    joined: "已与 {case} 并案办理，以下为该案进展",
  },
  {
    asking: "Looking what is near…",
    already: "Already reported near here",
    hint: "If it is the same, join it: your report is kept, and you are answered when it is done.",
    same: "The same: join it",
    another: "Another one: send",
    back: "Back",
    away: "{d} away",
    before: "{span} ago",
    joined: "Dealt with as one with {case}; this is how that goes",
  },
);
