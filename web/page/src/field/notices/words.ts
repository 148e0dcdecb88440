import { words } from "../../shared/i18n";

export const ZH = {
  given: "新案件派给您",
  taken: "案件已改派，不再由您负责",
  over: "案件已撤销或并入另案，不必再去",
  gone: "案件已不在您名下（改派、撤销或并案）",
  back: "核查不通过，请返工",
  paused: "案件已挂起，到日恢复",
  resumed: "案件已恢复，请继续办理",
  escalated: "案件已升级督办",
  look: "查看",
  known: "知道了",
  more: "另有 {n} 条",
} as const;

export const EN: Record<keyof typeof ZH, string> = {
  given: "A new case for you",
  taken: "Given to others: no longer yours",
  over: "Cancelled or joined to another case: no need to go",
  gone: "No longer yours: given to others, cancelled or joined",
  back: "Not done: please go again",
  paused: "Suspended until its day",
  resumed: "The case goes on",
  escalated: "The case was escalated",
  look: "Look",
  known: "Understood",
  more: "and {n} more",
};

export const t = words<keyof typeof ZH>(ZH, EN);
