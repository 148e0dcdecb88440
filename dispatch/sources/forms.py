"""The forms of the sources: what their fields are called in exports and messages, and which must be filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from dispatch.errors import UnknownSource
from dispatch.fields import bare
from dispatch.model import Source

REPORTS: Final = UUID("0d8a7c52-3e0b-5c0e-8f43-7a6f0c6d5f1e")
"""Namespace of the ids of reports that come from other systems."""

COMMON: Final[Mapping[str, str]] = {
    "lon": "lon lng longitude 经度 东经 gps经度 经度坐标",
    "lat": "lat latitude 纬度 北纬 gps纬度 纬度坐标",
    "datum": "datum 坐标系 坐标系统 坐标类型",
    "accuracy_m": "accuracy_m accuracy 精度 定位精度 误差 定位误差",
    "grid": "grid grid_code 网格 网格编码 网格编号 网格代码 网格名称 所属网格 综合网格 单元网格 单元网格编码 "
    "单元网格编号 责任网格",
    "community": "community 社区 村 社区村 社区名称 所属社区 村居 村社区 村居社区",
    "township": "township 街道 乡镇 镇 镇街 街镇 街道镇 所属街道 所属镇街 街道乡镇 镇街道 属地 承办属地",
    "photo": "photo picture_sha256 photo_sha256 照片摘要 图片摘要",
    "contact_name": "contact_name caller 联系人 姓名 来电人 来电人姓名 反映人 诉求人 诉求人姓名 市民姓名",
    "contact_phone": "contact_phone phone 电话 联系电话 来电号码 来电电话 手机号 手机号码 联系方式 诉求人电话",
}
"""What every source may say: field -> the names that mean it, as `fields.bare` leaves them, the first our own."""

HOTLINE: Final[Mapping[str, str]] = {
    "ref": "ref ticket 工单编号 工单号 工单编码 工单流水号 诉求编号 受理编号 受理单号 流水号 事件编号",
    "matter": "matter 事项 事项编码 事项编号 诉求分类 诉求类别 问题分类 问题类别 问题类型 事件分类 事件类别 内容分类 "
    "归口类别 小类",
    "seen_at": "seen_at 来电时间 受理时间 诉求时间 登记时间 创建时间 反映时间 发生时间 接单时间",
    "text": "text 诉求内容 工单内容 主要内容 反映内容 问题描述 内容描述 诉求描述 内容",
    "title": "title 工单标题 诉求标题 标题",
    "address": "address 诉求地址 事发地址 事发地点 发生地址 发生地点 问题地址 详细地址 地址 地点",
}
DIGITAL_CITY: Final[Mapping[str, str]] = {
    "ref": "ref case_number 案件编号 案件号 案卷编号 案卷号 任务号 任务编号 立案编号 受理号",
    "matter": "matter category 小类 小类编码 小类代码 小类名称 事件小类 案件小类 问题小类 类别编码 问题类型 案件类型",
    "seen_at": "seen_at 上报时间 采集时间 立案时间 受理时间 发现时间",
    "text": "text 问题描述 案件描述 描述 备注",
    "title": "title 大类名称 大类",
    "address": "address 地址描述 位置描述 事发位置 地址 位置",
}
VIDEO: Final[Mapping[str, str]] = {
    "ref": "ref event_id 事件编号 告警编号 报警编号",
    "camera": "camera camera_id 摄像机 摄像机编号 摄像机编码 点位编号 点位编码 设备编号 设备编码",
    "matter": "event_class matter 事件类型 告警类型 报警类型 算法类型",
    "seen_at": "time seen_at 时间 告警时间 报警时间 抓拍时间 发生时间",
    "bearing_deg": "bearing_deg bearing 方位角 方位",
    "distance_m": "distance_m distance 距离",
    "text": "text 描述 备注",
}
PATROL: Final[Mapping[str, str]] = {
    "ref": "ref number 巡查编号 巡查单号 记录编号 编号",
    "unit": "unit 单元 巡查单元 车辆 车船 车船编号",
    "matter": "matter 事项 事项编码 问题类型",
    "seen_at": "seen_at 发现时间 巡查时间 时间",
    "text": "text 问题描述 描述 内容 备注",
    "address": "address 地址 地点 位置描述",
}


@dataclass(frozen=True, slots=True)
class Form:
    """How one source says what it says."""

    name: str
    """In addresses and commands."""
    source: Source
    fields: Mapping[str, str]
    """Field -> the names that mean it, the first our own; of several in one message the earlier counts."""
    needs: tuple[str, ...]
    """Fields without which there is no report."""
    places: tuple[str, ...]
    """What it may say of a place, the most exact first: `position`, `camera`, `zone`."""

    def names(self) -> dict[str, tuple[str, int]]:
        """Bare name -> field, and its rank among the names of that field."""
        every = {**COMMON, **self.fields}
        return {bare(name): (field, rank) for field, names in every.items() for rank, name in enumerate(names.split())}

    def columns(self, header: Sequence[str]) -> dict[str, int]:
        """Which column says what: field -> its place. Of two that mean the same the one with the earlier name."""
        known, found = self.names(), dict[str, tuple[int, int]]()
        for place, name in enumerate(header):
            field, rank = known.get(bare(name), ("", 0))
            if field:
                found[field] = min(found.get(field, (rank, place)), (rank, place))
        return {field: place for field, (_, place) in found.items()}

    def report_id(self, ref: str) -> UUID:
        """The id of the report that the source knows by this number."""
        return uuid5(REPORTS, f"{self.source.value} {ref}")


FORMS: Final[Mapping[str, Form]] = {
    form.name: form
    for form in (
        Form("12345", Source.HOTLINE_12345, HOTLINE, ("ref", "matter"), ("position", "zone")),
        Form("video", Source.VIDEO, VIDEO, ("camera", "matter", "seen_at"), ("camera",)),
        Form("digital_city", Source.DIGITAL_CITY, DIGITAL_CITY, ("ref", "matter"), ("position", "zone")),
        Form("patrol", Source.PATROL, PATROL, ("ref", "unit", "matter"), ("position", "zone")),
    )
}


def form_of(name: str) -> Form:
    """The form of a source by its name. Raises `UnknownSource`."""
    if name not in FORMS:
        raise UnknownSource({"source": name}, source=name, known=", ".join(FORMS))
    return FORMS[name]
