/** What the command centre says of the same thing reported again, and of many things close together. */

import { words } from "../shared/i18n";

export const t = words(
  {
    "same.title": "可能是同一件",
    "same.facts": "相距 {d} · 相隔 {span}",
    "same.open": "查看",
    "same.into": "并入 {case}",
    "same.take": "将 {case} 并入本案",
    "same.not": "不是同一件",
    "same.joining": "正在并案…",
    "same.done": "已并案：{case} → {into}",
    "same.failed": "没有并案：{detail}",
    "same.unsure": "服务器没有应答，不知是否已并案。再按一次不会重复。",
    "reporters.title": "{n} 次上报，一并答复",
    "incident.title": "突发聚集：{name}",
    "incident.count": "{open} 件未结 / 共 {cases} 件案件、{reports} 次上报",
    "incident.span": "{from} 至 {to}",
    "incident.shut": "收起",
    "incident.mark": "突发聚集 {name}，{n} 件",
    "incident.unread": "（案件不在当前列表中）",
  },
  {
    "same.title": "May be the same",
    "same.facts": "{d} away · {span} apart",
    "same.open": "Look",
    "same.into": "Merge into {case}",
    "same.take": "Take {case} into this one",
    "same.not": "Not the same",
    "same.joining": "Merging…",
    "same.done": "Merged: {case} → {into}",
    "same.failed": "Not merged: {detail}",
    "same.unsure": "The server did not answer: it may be merged or not. Pressing again does nothing twice.",
    "reporters.title": "Reported {n} times; all are answered",
    "incident.title": "Incident: {name}",
    "incident.count": "{open} open of {cases} cases, {reports} reports",
    "incident.span": "{from} to {to}",
    "incident.shut": "Close",
    "incident.mark": "Incident {name}, {n} cases",
    "incident.unread": "(not among the cases read here)",
  },
);
