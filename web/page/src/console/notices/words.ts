import { words } from "../../shared/i18n";

export const ZH = {
  notices: "提醒",
  unread: "{n} 条未读提醒",
  none: "没有提醒。与您有关的变化会出现在这里。",
  readAll: "全部已读",
  close: "关闭",
  given: "新案件派给 {team}",
  taken: "案件已改由 {team} 负责",
  returned: "{team} 退回，等待改派",
  disputed: "发生争议，待协调机构裁定",
  escalated: "已升级督办（{team}）",
  back: "核查不通过，返工（{team}）",
  soon: "即将超时（{team}）",
} as const;

export const EN: Record<keyof typeof ZH, string> = {
  notices: "Notices",
  unread: "{n} unread notices",
  none: "No notices. What concerns you will stand here.",
  readAll: "All read",
  close: "Close",
  given: "New case for {team}",
  taken: "Now with {team}",
  returned: "Returned by {team}, to be reassigned",
  disputed: "In dispute, to be ruled by the coordination office",
  escalated: "Escalated ({team})",
  back: "Not done: back to {team}",
  soon: "Soon late ({team})",
};

export const t = words<keyof typeof ZH>(ZH, EN);
