"""What states, actions, roles and stages are called, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from dispatch.model import Action, Stage, State


class Role(StrEnum):
    """Who acts. The client says it; it is recorded with the event, and the tables hold him to it."""

    REPORTER = "reporter"
    GRID_WORKER = "grid_worker"
    TEAM = "team"
    DISPATCHER = "dispatcher"
    COORDINATOR = "coordinator"
    LEGAL = "legal"
    LEADER = "leader"


ROLE_NAMES: Final[Mapping[Role, tuple[str, str]]] = {
    Role.REPORTER: ("上报人", "reporter"),
    Role.GRID_WORKER: ("网格员", "grid worker"),
    Role.TEAM: ("执法队伍", "team"),
    Role.DISPATCHER: ("指挥中心值班员", "dispatcher"),
    Role.COORDINATOR: ("协调机构", "coordination office"),
    Role.LEGAL: ("法制审核", "legal review"),
    Role.LEADER: ("负责人", "leader"),
}

STATE_NAMES: Final[Mapping[State, tuple[str, str]]] = {
    State.TRIAGE: ("待审核", "to be looked at"),
    State.ASSIGNED: ("已派遣", "assigned"),
    State.ACCEPTED: ("已接受", "accepted"),
    State.ON_THE_WAY: ("前往中", "on the way"),
    State.ON_SCENE: ("已到场", "on scene"),
    State.HANDLED: ("已处置", "handled"),
    State.VERIFIED: ("已核查", "verified"),
    State.CLOSED: ("已结案", "closed"),
    State.RETURNED: ("已退回", "returned"),
    State.DISPUTED: ("争议待裁定", "disputed"),
    State.SUSPENDED: ("已挂起", "suspended"),
    State.MERGED: ("已并案", "merged"),
    State.CANCELLED: ("已撤销", "cancelled"),
}

ACTION_NAMES: Final[Mapping[Action, tuple[str, str]]] = {
    Action.REPORT: ("上报", "report"),
    Action.ASSIGN: ("派遣", "assign"),
    Action.ACCEPT: ("接受", "accept"),
    Action.SET_OUT: ("出发", "set out"),
    Action.ARRIVE: ("到场", "arrive"),
    Action.HANDLE: ("处置完成", "handle"),
    Action.VERIFY: ("核查通过", "verify"),
    Action.REWORK: ("核查不通过，返工", "send back for rework"),
    Action.CLOSE: ("结案", "close"),
    Action.RETURN: ("退回", "return"),
    Action.REASSIGN: ("改派", "reassign"),
    Action.STATE_GROUND: ("陈述理由", "state a ground"),
    Action.RULE: ("裁定", "rule"),
    Action.SUSPEND: ("挂起", "suspend"),
    Action.RESUME: ("恢复", "resume"),
    Action.MERGE: ("并案", "merge"),
    Action.JOINED: ("并入另案", "take in another case"),
    Action.CANCEL: ("撤销", "cancel"),
    Action.REOPEN: ("重新打开", "reopen"),
    Action.ESCALATE: ("升级督办", "escalate"),
    Action.OFFER: ("补派单元", "offer to a unit"),
    Action.RELOCATE: ("更正位置", "relocate"),
    Action.EVIDENCE: ("附证据", "add evidence"),
    Action.DISCLOSE: ("查阅联系方式", "ask who reported it"),
    Action.FILE: ("立案", "file"),
    Action.INQUIRE: ("调查取证", "inquire"),
    Action.REVIEW: ("法制审核", "review"),
    Action.DELIBERATE: ("集体讨论", "deliberate"),
    Action.DECIDE: ("处罚决定", "decide"),
    Action.PENALISE: ("当场处罚", "penalise on the spot"),
    Action.SERVE: ("送达", "serve"),
    Action.EXECUTE: ("执行", "execute"),
    Action.ARCHIVE: ("归档", "archive"),
    Action.TRANSFER: ("移送", "transfer"),
    Action.DROP: ("撤案", "drop"),
}

STAGE_NAMES: Final[Mapping[Stage, tuple[str, str]]] = {
    Stage.FILED: ("已立案", "filed"),
    Stage.INQUIRY: ("调查中", "under inquiry"),
    Stage.REVIEWED: ("审核通过", "reviewed"),
    Stage.MAJOR: ("重大案件，待集体讨论", "major, to be deliberated"),
    Stage.DELIBERATED: ("已集体讨论", "deliberated"),
    Stage.DECIDED: ("已决定", "decided"),
    Stage.SERVED: ("已送达", "served"),
    Stage.EXECUTED: ("已执行", "executed"),
    Stage.ARCHIVED: ("已归档", "archived"),
    Stage.TRANSFERRED: ("已移送", "transferred"),
    Stage.DROPPED: ("已撤案", "dropped"),
}


class Reason(StrEnum):
    """Why a team returns a case."""

    NOT_OUR_PLACE = "not_our_place"
    NOT_OUR_MATTER = "not_our_matter"
    NOT_FOUND = "not_found"
    DUPLICATE = "duplicate"
    NO_MEANS = "no_means"
    OTHER = "other"


REASON_NAMES: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.NOT_OUR_PLACE: ("不在本队辖区", "not our place"),
    Reason.NOT_OUR_MATTER: ("不属本队职责", "not our matter"),
    Reason.NOT_FOUND: ("现场未发现", "nothing was found there"),
    Reason.DUPLICATE: ("与另案重复", "the same as another case"),
    Reason.NO_MEANS: ("本队无处置条件", "we have no means for it"),
    Reason.OTHER: ("其他", "other"),
}
