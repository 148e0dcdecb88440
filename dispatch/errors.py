"""Everything that can be refused, by name.

A class's docstring is its message: first line Chinese, second line English, both with `{placeholders}`; further lines,
if any, come in pairs and say what to do. Its stable code is its name in snake_case. Which HTTP status a class
answers with is one table in `web.problems`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

Language = Literal["zh", "en"]


class DomainError(Exception):
    """未能完成。
    It could not be done."""

    def __init__(self, where: Mapping[str, object] | None = None, **facts: object) -> None:
        self.facts = facts
        self.where = dict(where or {})
        super().__init__(self.text("en"))

    @classmethod
    def code(cls) -> str:
        """Stable name, e.g. `unknown_matter`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def templates(cls, language: Language) -> list[str]:
        """What happened and, if said, what to do, in one language."""
        lines = [line.strip() for line in (cls.__doc__ or "").strip().splitlines()]
        return lines[0 if language == "zh" else 1 :: 2]

    def text(self, language: Language) -> str:
        """What happened."""
        return self.templates(language)[0].format_map(self.facts)

    def hint(self, language: Language) -> str | None:
        """What to do about it."""
        rest = self.templates(language)[1:]
        return " ".join(rest).format_map(self.facts) if rest else None


def every(base: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Every error there is, for the documentation and the status table."""
    for cls in base.__subclasses__():
        yield cls
        yield from every(cls)


# --- a report ---------------------------------------------------------------------------------------------------


class InvalidInput(DomainError):
    """字段 {field} 无效：{problem_zh}
    Field {field} is not valid: {problem}"""


class CoordinatesOutOfRange(DomainError):
    """坐标 ({lon}, {lat}) 不是有效的经纬度。
    ({lon}, {lat}) is not a longitude and latitude.
    请先经度后纬度，单位为度。
    Give longitude first, then latitude, in degrees."""


class CoordinatesSwapped(DomainError):
    """坐标 ({lon}, {lat}) 似乎把经度和纬度写反了。
    ({lon}, {lat}) looks like latitude and longitude swapped.
    对调后位于本区内，请改为 lon={lat}、lat={lon} 重新发送。
    Swapped, it lies in the district: send lon={lat}, lat={lon}."""


class CoordinatesZero(DomainError):
    """坐标为 (0, 0)，设备没有定位。
    The position is (0, 0): the device had no fix.
    请等待定位后重试，或在地图上点选位置。
    Wait for a fix, or pick the place on the map."""


class OutsideDistrict(DomainError):
    """该位置在本区之外 {metres} 米，最近的是{nearest}。
    The place lies {metres} m outside the district; the nearest township is {nearest_en}.
    {hint_zh}
    {hint}"""


class UnknownMatter(DomainError):
    """清单中没有编号为 {matter} 的事项。
    No matter in the list has the code {matter}.
    请从 /api/matters 中选择一个事项或大类编号。
    Choose the code of a matter or of a class from /api/matters."""


class SeenInFuture(DomainError):
    """发现时间 {seen_at} 晚于现在。
    It was seen at {seen_at}, which is still to come.
    请检查设备的时钟和时区。
    Check the device's clock and time zone."""


class SeenTooLongAgo(DomainError):
    """发现时间 {seen_at} 距今超过 {days} 天。
    It was seen at {seen_at}, more than {days} days ago.
    请检查年份；历史数据请用 onegrid route 处理。
    Check the year; for historical data use onegrid route."""


class ReportConflicts(DomainError):
    """编号 {report} 已用于另一份内容不同的上报（案件 {case}）。
    The id {report} already belongs to a report with other content (case {case}).
    新的上报请用新的编号。
    Give a new report an id of its own."""


class UnknownPhoto(DomainError):
    """没有摘要为 {sha256} 的照片。
    There is no photo with the digest {sha256}.
    请先用 POST /api/photos 上传照片。
    Send the photo to POST /api/photos first."""


class PhotoTooLarge(DomainError):
    """照片 {megabytes} MB，超过上限 {limit} MB。
    The photo has {megabytes} MB; the limit is {limit} MB.
    请压缩后重试。
    Make it smaller and send it again."""


class NotAPhoto(DomainError):
    """文件不是可读的照片（支持 JPEG、PNG、WebP）。
    The file is not a photo that can be read (JPEG, PNG, WebP).
    请重新拍摄或另选一张。
    Take it again or choose another."""


# --- bulk -------------------------------------------------------------------------------------------------------


class UnreadableFile(DomainError):
    """文件无法读取：{problem_zh}
    The file cannot be read: {problem}"""


class EmptyFile(DomainError):
    """文件中没有数据行。
    The file holds no rows."""


class RaggedRow(DomainError):
    """第 {row} 行有 {found} 列，表头有 {expected} 列。
    Row {row} has {found} columns where the header has {expected}."""


class MissingColumn(DomainError):
    """缺少列 {column}。
    The column {column} is missing.
    需要 lon、lat、matter 三列。
    The columns lon, lat and matter are needed."""


class BatchTooLarge(DomainError):
    """一次最多 {limit} 条，收到 {found} 条。
    At most {limit} rows at a time; {found} came.
    请分批发送。
    Send them in parts."""


# --- a case -----------------------------------------------------------------------------------------------------


class UnknownCase(DomainError):
    """没有编号为 {case} 的案件。
    There is no case {case}."""


class UnknownReport(DomainError):
    """没有编号为 {report} 的上报。
    There is no report {report}."""


class UnknownPower(DomainError):
    """权力清单中没有编号为 {power} 的事项。
    The power list has no item {power}.
    请用 /api/powers 检索。
    Search for it by /api/powers."""


class UnknownTeam(DomainError):
    """没有编号为 {team} 的队伍。
    There is no team {team}."""


class UnknownUnit(DomainError):
    """队伍 {team} 没有编号为 {unit} 的单元。
    Team {team} has no unit {unit}."""


class UnknownLayer(DomainError):
    """没有名为 {layer} 的图层。
    There is no layer {layer}."""


class ActionNotAllowed(DomainError):
    """案件处于“{state_zh}”，不能“{action_zh}”。
    The case is '{state}'; '{action}' is not possible from there.
    现在可以：{allowed_zh}。
    Possible now: {allowed}."""


class ActionNeeds(DomainError):
    """“{action_zh}”需要填写 {needed}。
    '{action}' needs {needed}."""


class ActionConflicts(DomainError):
    """操作编号 {id} 已用于案件 {case} 的另一个操作。
    The action id {id} was already used for another action on case {case}.
    新的操作请用新的编号。
    Give a new action an id of its own."""


class CaseMovedOn(DomainError):
    """案件 {case} 已有新的进展：{actor} 已“{action_zh}”。
    Case {case} has moved on: {actor} did '{action}'.
    请查看最新情况后再操作。
    Look at it again before acting."""


class UnknownOutcome(DomainError):
    """案件 {case} 的误差圈内没有由队伍 {team} 负责的部分，或位置已另行确认。
    No part of the circle of case {case} is the team {team}'s, or its place was settled meanwhile.
    请查看案件最新情况。
    Look at the case again."""


class RoleMayNot(DomainError):
    """“{action_zh}”由{by_zh}办理，{role_zh}不能办理。
    '{action}' is for {by}, not for {role}."""


class SameTeamVerifies(DomainError):
    """案件由“{actor}”处置，不能由其本人核查。
    The case was handled by {actor}, who cannot verify it too.
    请由网格员或指挥中心另派人核查。
    Let a grid worker or a dispatcher verify it."""


class UntilPast(DomainError):
    """挂起至 {until}，不在今天之后。
    Suspended until {until}, which is not after today.
    请填写明天或以后的日期。
    Give tomorrow or a later day."""


class CannotMerge(DomainError):
    """案件 {case} 不能并入 {into}：不能并入自身或已办结的案件。
    Case {case} cannot be merged into {into}: not into itself, nor into one that is over.
    请选择一件未办结的案件。
    Choose a case that is open."""


class HighestLevel(DomainError):
    """案件 {case} 已升级到最高一级（{level}）。
    Case {case} is at the highest level already ({level})."""


class NotASide(DomainError):
    """队伍 {team} 不是案件 {case} 争议的一方。
    Team {team} is no side of the dispute of case {case}.
    争议双方：{sides}。
    The sides are {sides}."""


class UnknownDispute(DomainError):
    """没有编号为 {dispute} 的争议。
    There is no dispute {dispute}."""


class NotRuled(DomainError):
    """争议 {dispute} 尚未裁定。
    The dispute {dispute} has no ruling yet."""


class ProcedureOpen(DomainError):
    """案件 {case} 的执法程序尚未办结（{stage_zh}）。
    The enforcement procedure of case {case} is still open ({stage}).
    请先归档、移送或撤案。
    Archive, transfer or drop it first."""


class TooFewOfficers(DomainError):
    """至少需要 {least} 名不同的执法人员。
    At least {least} different officers are needed.
    请填写每人的执法证号。
    Give the number of each one's service card."""


class AmountOutsideTier(DomainError):
    """金额 {amount} 元不在该裁量档次 {low}–{high} 元之内。
    {amount} yuan is outside the tier's range, {low} to {high}."""


class UnknownTier(DomainError):
    """权力清单中事项 {power} 没有名为“{tier}”的裁量档次。
    The item {power} of the power list has no tier '{tier}'.
    该事项的档次：{known}
    Its tiers: {known}"""


class NotOnTheSpot(DomainError):
    """事项 {power}（{name}）不适用简易程序，不能当场处罚。
    The item {power} ({name}) does not allow the summary procedure: it is not decided on the spot.
    请立案，按普通程序办理。
    File it, and go by the general procedure."""


class UnknownEvidence(DomainError):
    """没有摘要为 {sha256} 的证据。
    There is no evidence with the digest {sha256}.
    请先用 POST /api/evidence 上传。
    Send it to POST /api/evidence first."""


class EvidenceTooLarge(DomainError):
    """证据文件 {megabytes} MB，超过上限 {limit} MB。
    The file has {megabytes} MB; the limit is {limit} MB.
    请分段提交原始文件。
    Send the original in parts."""


class EmptyEvidence(DomainError):
    """证据文件是空的。
    The file is empty."""


class UnitBusy(DomainError):
    """单元 {unit} 正在处理案件 {case}。
    Unit {unit} is on case {case}.
    请选择空闲的单元，或不指定单元。
    Choose one that is free, or none."""


class UnitOffDuty(DomainError):
    """单元 {unit} 此刻不在班。
    Unit {unit} is not on duty.
    请由指挥中心指定该单元，或不指定单元。
    Let the command centre name it, or name none."""


class UnitUnskilled(DomainError):
    """单元 {unit} 不具备该事项要求的技能（{skill}）。
    Unit {unit} does not have the skill that the matter asks for ({skill}).
    请由指挥中心指定该单元，或不指定单元。
    Let the command centre name it, or name none."""


class UnitCannotGo(DomainError):
    """单元 {unit} 现在不能去案件 {case}：{why_zh}。
    Unit {unit} cannot go to case {case} now: {why}.
    请重新统筹，或另派单元。
    Plan again, or send another."""


# --- where units are --------------------------------------------------------------------------------------------


class UnitNotListed(DomainError):
    """没有编号为 {unit} 的单元。
    There is no unit {unit}.
    单元编号见 /api/units。
    /api/units has the codes of all units."""


class FixInFuture(DomainError):
    """定位时间 {at} 晚于现在。
    The position is of {at}, which is still to come.
    请检查设备的时钟和时区。
    Check the device's clock and time zone."""


class FixTooOld(DomainError):
    """定位时间 {at} 距今超过 {days} 天。
    The position is of {at}, more than {days} days ago.
    请检查设备的时钟；超过轨迹保存期的位置不再接收。
    Check the device's clock: positions older than tracks are kept are not taken."""


# --- other systems ----------------------------------------------------------------------------------------------


class UnknownSource(DomainError):
    """没有名为 {source} 的来源，可选：{known}。
    There is no source {source}; choose one of {known}."""


class SourceNotSetUp(DomainError):
    """来源 {source} 尚未设置密钥。
    No secret is set for the source {source}.
    请在 ONEGRID_SOURCE_SECRETS 中设置。
    Set one in ONEGRID_SOURCE_SECRETS."""


class SignatureMissing(DomainError):
    """缺少签名，或签名头无法读取。
    The signature is missing, or its headers cannot be read.
    需要 webhook-id、webhook-timestamp、webhook-signature 三个头，见 docs/sources.md。
    The headers webhook-id, webhook-timestamp and webhook-signature are needed; see docs/sources.md."""


class SignatureStale(DomainError):
    """签名的时间与本机相差 {seconds} 秒，超过 {window} 秒。
    The signature's time is {seconds} s from our clock; at most {window} s are taken.
    请校准时钟，每次发送重新签名。
    Set the clock right, and sign anew each time it is sent."""


class SignatureWrong(DomainError):
    """签名与内容不符。
    The signature is not of this content.
    请核对密钥，并对发送的原始字节签名。
    Check the secret, and sign the very bytes that are sent."""


class MessageTooLarge(DomainError):
    """内容超过上限 {limit} 字节。
    The message is larger than {limit} bytes.
    请逐件发送。
    Send one report at a time."""


class PlaceNotSaid(DomainError):
    """没有坐标，也没有能认出的网格、社区（村）或街道（镇）。
    There is neither a position nor a grid, community or township that is known.
    请补充坐标，或网格、社区的编码或全称。
    Give a position, or the code or the full name of a grid or community."""


class PlaceAmbiguous(DomainError):
    """名为“{name}”的区域有多个：{codes}。
    Several zones are called '{name}': {codes}.
    请改用编码，或写明上级。
    Give the code, or the zone above it."""


class UnknownCamera(DomainError):
    """没有编号为 {camera} 的摄像机。
    There is no camera {camera}.
    摄像机列在数据文件夹的 cameras.csv 中。
    Cameras are listed in the district folder's cameras.csv."""


class UnknownWebhook(DomainError):
    """没有名为 {name} 的推送订阅。设置的有：{known}
    There is no webhook {name}. Those that are set: {known}"""


# --- lists, exports ---------------------------------------------------------------------------------------------


class InvalidCursor(DomainError):
    """翻页标记无效。
    The cursor is not one that this server gave.
    请从第一页重新开始。
    Start from the first page."""


class UnknownZone(DomainError):
    """没有编号为 {zone} 的区域。
    There is no zone {zone}."""


class UnknownFormat(DomainError):
    """不支持的文件格式 {format}，可选：{known}。
    The format {format} is not known; choose one of {known}."""


class FontMissing(DomainError):
    """没有找到中文字体，无法绘制图片。
    No Chinese font was found, so the picture cannot be drawn.
    请安装 fonts-noto-cjk。
    Install fonts-noto-cjk."""


# --- importing a district's own files ---------------------------------------------------------------------------


class BadMapping(DomainError):
    """对应表 {file} 的 {field} 无效：{problem_zh}
    The mapping {file}: {field} is not valid: {problem}"""


class UnreadableSource(DomainError):
    """数据源 {file} 无法读取：{problem_zh}
    The source {file} cannot be read: {problem}"""


class GarbledText(DomainError):
    """{file} 的列 {column} 有 {count} 处乱码，例如“{example}”{guess_zh}。
    {file}, column {column}: {count} texts are garbled, e.g. '{example}'{guess}.
    请在对应表的该图层写明 encoding（gbk 或 utf-8）；原文件已损坏的，请重新导出。
    Write encoding (gbk or utf-8) into the layer's entry of the mapping; export a file that is garbled itself anew."""


class DuplicateCodes(DomainError):
    """图层 {layer} 有重复编码：{codes}。
    Layer {layer}: codes stand more than once: {codes}.
    请在对应表中用 recode 改正，或用 duplicates = "merge" 合并为同一区域。
    Put them right by recode in the mapping, or join them to one zone by duplicates = "merge"."""


class OutputNotEmpty(DomainError):
    """文件夹 {folder} 已有内容，未写入。
    The folder {folder} is not empty; nothing was written.
    请指定新的文件夹。
    Name a new folder."""


# --- the house --------------------------------------------------------------------------------------------------


class FindingLike(Protocol):
    """Something wrong in a district folder, as the checker names it."""

    def text(self, language: Language) -> str:
        """One line."""
        ...


class BrokenDistrict(DomainError):
    """数据文件夹 {folder} 有 {count} 处问题，未加载。
    The district folder {folder} has {count} faults and was not loaded.
    请运行 onegrid grids check（数据）和 onegrid grids prove（职责）查看每一处。
    Run onegrid grids check (the data) and onegrid grids prove (the duties) to see each of them."""

    def __init__(self, folder: str, findings: Sequence[FindingLike]) -> None:
        self.findings = tuple(findings)
        super().__init__(folder=folder, count=len(self.findings))


class NoDistrict(DomainError):
    """没有指定区的数据文件夹。找到：{found}
    No district folder was chosen. Found: {found}
    请用 --district 或 ONEGRID_DISTRICT 指定。
    Choose one by --district or ONEGRID_DISTRICT."""


class AnotherDistrict(DomainError):
    """这个数据库属于 {kept}，不能载入 {given} 的数据。
    This database is the district {kept}'s; data of {given} is not loaded into it.
    一个区一个数据库：请用 --data-dir 或 ONEGRID_DATABASE_URL 另选一个。
    A district has a database of its own: choose another by --data-dir or ONEGRID_DATABASE_URL."""


class UnknownEdition(DomainError):
    """没有名为 {edition} 的文件夹，数据库中也没有这个版次。
    There is no folder {edition}, and the database holds no edition of that name.
    已施行的版次：{known}
    Editions that were enacted: {known}"""


class NotOneDistrict(DomainError):
    """旧版是 {old} 的数据，新版是 {new} 的，不是同一个区。
    The old edition is of the district {old}, the new one of {new}: they cannot be compared."""


class CalendarUnknown(DomainError):
    """{day} 是否工作日尚不可知：没有 {year} 年的放假安排。
    Whether {day} is a working day is not known yet: there is no calendar of holidays for it (year {year}).
    请更新 chinesecalendar，或在 calendar.csv 中写明当年的放假与调休，并把年份列入 district.toml 的 working_time.years。
    Update chinesecalendar, or list the year's days in calendar.csv and the year in working_time.years."""


class InvalidLimit(DomainError):
    """时限 {amount} {unit} 无效。
    {amount} {unit} is no limit.
    数量须大于零；按工作日计的须为整数。
    The amount must be above zero; of working days a whole number."""


class DatabaseUnavailable(DomainError):
    """数据库暂时不可用，数据没有丢失。
    The database cannot be reached at the moment; nothing was half-written.
    请稍后用同一编号重试。
    Try again shortly with the same id."""


class PartStopped(DomainError):
    """服务的一部分（{part}）意外停止，正在重新启动。
    A part of the server ({part}) stopped unexpectedly and is being started again.
    请稍后重试；原因见服务日志。
    Try again shortly; the server's log says why."""


class DatabaseMissing(DomainError):
    """没有找到 PostGIS：{problem}
    PostGIS was not found: {problem}
    请安装 postgresql 与 postgis，或用 ONEGRID_DATABASE_URL 指定数据库。
    Install postgresql and postgis, or name a database by ONEGRID_DATABASE_URL."""


class DatabaseDidNotStart(DomainError):
    """私有数据库未能启动：{problem}
    The private database did not start: {problem}
    日志在 {log}。
    Its log is {log}."""


class ExtractUnreadable(DomainError):
    """OpenStreetMap 数据 {file} 无法使用：{problem}
    The OpenStreetMap extract {file} cannot be used: {problem}"""


class ValhallaMissing(DomainError):
    """指定了 OpenStreetMap 数据，但没有安装 Valhalla。
    An OpenStreetMap extract is named, but Valhalla is not installed.
    请安装 pyproject.toml 中的 valhalla 组，或取消 ONEGRID_OSM_EXTRACT。
    Install the group valhalla of pyproject.toml, or unset ONEGRID_OSM_EXTRACT."""


class AddressNotAllowed(DomainError):
    """在用户账户功能完成之前，服务器只监听本机地址，不监听 {host}。
    Until there are accounts, the server listens on loopback only, not on {host}.
    请用 --host 127.0.0.1。
    Use --host 127.0.0.1."""


class PageNotBuilt(DomainError):
    """网页尚未构建。
    The page has not been built.
    请用 ./onegrid 启动，它会先构建网页。
    Start by ./onegrid, which builds it first."""


class BrokenRecord(DomainError):
    """案件 {case} 的记录在第 {seq} 步断裂：{problem}
    The record of case {case} breaks at step {seq}: {problem}"""


class BrokenCheckpoint(DomainError):
    """检查点 {number} 不成立：{problem}
    Checkpoint {number} does not hold: {problem}"""


class NoCheckpoint(DomainError):
    """还没有检查点：有案件后才会生成，间隔见 ONEGRID_CHECKPOINT_MINUTES。
    There is no checkpoint yet: one is made once there are cases, as often as ONEGRID_CHECKPOINT_MINUTES says."""


class NotInCheckpoint(DomainError):
    """案件 {case} 是最近一个检查点（{number}）之后立案的，尚无证明。
    Case {case} was opened after the last checkpoint ({number}): there is no proof of it yet.
    请等下一个检查点。
    Wait for the next checkpoint."""


class KeyUnusable(DomainError):
    """密钥文件 {file} 不能使用：{problem}
    The key file {file} cannot be used: {problem}
    需要 PEM 格式的 Ed25519 密钥，可用 ONEGRID_CHECKPOINT_KEY 另行指定。
    An Ed25519 key in PEM is needed; ONEGRID_CHECKPOINT_KEY names another file."""


class UnreadableRecord(DomainError):
    """文件 {file} 不是导出的检查点：{problem}
    The file {file} is no checkpoint that was exported: {problem}"""
