"""What the market regulation authority hands in: the register of firms and its two lists."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.random import Generator

from gateway.sample import codes, names
from gateway.sample.dirt import Planter, always, full_width, loose_date, mangled, without_day
from gateway.sample.handover import Part
from gateway.sample.subjects import days_before, mobiles, only, scaled

# The captions of the public register extracts.
REGISTER = {
    "name": "企业名称",
    "uscc": "统一社会信用代码",
    "registered_on": "注册日期",
    "enterprise_type": "企业类型",
    "legal_representative": "法人代表",
    "registered_capital": "注册资金",
    "business_scope": "经营范围",
    "province": "所在省份",
    "region": "地区",
    "address": "注册地址",
}
LISTING = {
    "name": "企业名称",
    "uscc": "统一社会信用代码",
    "registration_number": "注册号",
    "listed_on": "列入日期",
    "listing_reason": "列入原因",
    "listed_by": "作出决定机关(列入)",
    "removed_on": "移出日期",
    "removal_reason": "移出原因",
    "removed_by": "作出决定机关(移出)",
}
_DAMAGED_ORDER = [
    "name",
    "address",
    "uscc",
    "region",
    "registered_on",
    "business_scope",
    "legal_representative",
    "registered_capital",
    "enterprise_type",
    "province",
]
DECISION = {
    "decided_level": "列入机关级别",
    "notified_on": "列入前告知日期",
    "objection": "异议处理结果",
    "listing_basis": "列入依据",
    "measures_warned": "失信惩戒措施提示",
    "measures": "失信惩戒措施",
    "removal_conditions": "移出条件",
    "removal_procedure": "移出程序",
    "relief": "救济途径",
}
_REASONS = {
    "abnormal_operation": (
        "未依照规定的期限公示年度报告",
        "通过登记的住所或者经营场所无法联系",
        "公示企业信息隐瞒真实情况、弄虚作假",
    ),
    "serious_violation": (
        "被列入经营异常名录届满三年仍未履行相关义务",
        "提交虚假材料取得公司登记",
        "因不正当竞争行为两年内受到三次以上行政处罚",
    ),
}


def registration(rng: Generator, firms: pd.DataFrame) -> list[Part]:
    """The register in two files: the city's own in UTF-8, the counties' in GB18030."""
    split = round(len(firms) * 0.72)
    city = _dirty_register(rng, firms.iloc[:split])
    counties = _dirty_register(rng, firms.iloc[split:])
    feed = "market_regulation.enterprise_registration"
    return [
        Part(feed, "enterprise_registration_city.csv", city, REGISTER),
        Part(feed, "enterprise_registration_counties.csv", counties, REGISTER, "gb18030"),
    ]


def listing(rng: Generator, firms: pd.DataFrame, entry: str, at: tuple[date, float]) -> Part:
    """The list of abnormal operation or of serious violations, as a spreadsheet. at: the day and the scale."""
    on, scale = at
    size = scaled({"abnormal_operation": 1_200, "serious_violation": 300}[entry], scale)
    chosen = firms.iloc[rng.permutation(len(firms))[: min(size, len(firms))]].reset_index(drop=True)
    size = len(chosen)
    listed = days_before(rng, on, (2, 1_000), size)
    removed = rng.random(size) < 0.3
    frame = chosen[["name", "uscc", "registration_number"]].assign(
        listed_on=[day.isoformat() for day in listed],
        listing_reason=names.pick(rng, np.array(_REASONS[entry]), size),
        listed_by=names.MARKET.name,
        removed_on=only(removed, [_removal(day, on) for day in listed]),
        removal_reason=only(removed, ["列入事由消失，经申请移出"] * size),
        removed_by=only(removed, [names.MARKET.name] * size),
        note=[f"经办人 {number}" for number in mobiles(rng, size)],
    )
    captions = LISTING | {"note": "内部备注"}
    if entry == "serious_violation":
        frame, captions = pd.concat([frame, _decision(rng, listed)], axis=1), captions | DECISION
    planter = Planter(frame, rng)
    if entry == "serious_violation":
        _plant_law(planter)
    planter.plant("wrong-check-digit", 0.003, "uscc", codes.with_wrong_check)
    planter.plant("no-day", 0.005, "listed_on", without_day)
    planter.plant("scientific-number", 0.005, "registration_number", lambda text: f"{float(text):.5E}")
    planter.plant("lower-case-code", 0.01, "uscc", str.lower)
    planter.plant("mixed-date-form", 0.05, "listed_on", loose_date)
    planter.plant("sentinel", 0.05, "registration_number", always("暂无", "N/A", r"\N"))
    planter.repeat(0.004)
    return Part(
        f"market_regulation.{entry}",
        f"{entry}.xlsx",
        planter,
        captions,
        uncatalogued=("内部备注",),
    )


def _decision(rng: Generator, listed: list[date]) -> pd.DataFrame:
    """How each listing was decided: the subject was told some weeks before, and nobody objects or the objection failed."""
    told = rng.integers(8, 40, len(listed))
    return pd.DataFrame({
        "decided_level": names.pick(rng, np.array(["设区的市级", "设区的市级", "县级", "省级"]), len(listed)),
        "notified_on": [(day - timedelta(days=int(days))).isoformat() for day, days in zip(listed, told, strict=True)],
        "objection": names.pick(rng, np.array(["未提出异议"] * 8 + ["异议不成立"]), len(listed)),
        "listing_basis": "《市场监督管理严重违法失信名单管理办法》第二条",
        "measures_warned": "依法依规实施限制参加招标投标等管理措施",
        "measures": names.pick(rng, np.array(["限制参加招标投标", "纳入重点监管范围", "限制参加招标投标、限制参加评先评优"]), len(listed)),
        "removal_conditions": "自列入之日起满一年，已纠正违法行为、消除危害后果",
        "removal_procedure": "向作出列入决定的部门提出申请",
        "relief": "可以依法申请行政复议或者提起行政诉讼",
    })


def _plant_law(planter: Planter) -> None:
    """Listings that were not decided as the law asks, and that nobody may have."""
    planter.plant("objection-open", 0.01, "objection", always("正在核实"))
    planter.plant("subject-not-told", 0.01, "notified_on", always(""))
    planter.plant("decided-below-level", 0.007, "decided_level", always("县级以下"))
    planter.plant("decision-incomplete", 0.01, "relief", always(""))


def _removal(listed: date, on: date) -> str:
    return (listed + timedelta(days=(on - listed).days // 2 + 1)).isoformat()


def _dirty_register(rng: Generator, firms: pd.DataFrame) -> Planter:
    frame = firms.rename(columns={"district": "region"})[list(REGISTER)]
    frame = frame.assign(registered_on=[day.isoformat() for day in frame["registered_on"]])
    planter = Planter(frame, rng)
    planter.plant("row-width", 0.00017, "registered_capital", always("3,000(万元人民币)"))
    _shift(planter, "columns-shifted", 0.00056)
    for column in ("name", "address"):
        planter.plant("replacement-character", 0.0004, column, mangled)
    _shift(planter, "replacement-character", 0.0004, "name", "address", "business_scope")
    planter.plant("old-registration-number", 0.00342, "uscc", _old_number)
    planter.plant("wrong-check-digit", 0.00024, "uscc", codes.with_wrong_check)
    planter.plant("no-code", 0.00067, "uscc", always("无"))
    _share_a_code(planter)
    _write_loosely(planter)
    planter.repeat(0.0002)
    return planter


def _old_number(code: str) -> str:
    """A registration number of 15 or of 13 digits, as it stood before codes were unified."""
    return code[2:8] + "0" * (3 if code[15] in "02468" else 1) + code[10:16]


def _write_loosely(planter: Planter) -> None:
    planter.plant("sentinel", 0.82, "enterprise_type", always("N/A"))
    planter.plant("sentinel", 0.27, "registered_capital", always("N/A"))
    planter.plant("sentinel", 0.0014, "legal_representative", always("N/A"))
    planter.plant("full-width", 0.028, "address", full_width)
    planter.plant("ascii-brackets", 0.0176, "name", lambda name: name.replace("市", "(云岭)", 1))
    planter.plant("full-width-brackets", 0.0025, "name", lambda name: name.replace("市", "（云岭）", 1))
    planter.plant("lower-case-code", 0.00024, "uscc", str.lower)
    planter.plant("trailing-stars", 0.08, "business_scope", lambda scope: scope + "＊＊＊＊")


def _shift(planter: Planter, dirt: str, share: float, *mangle: str) -> None:
    """Brings the cells into the order in which a broken decoding left them."""
    for position in planter.choose(dirt, share):
        row = {column: str(planter.frame.at[position, column]) for column in REGISTER}
        row |= {column: mangled(row[column]) for column in mangle}
        for column, source in zip(REGISTER, _DAMAGED_ORDER, strict=True):
            planter.put(position, column, row[source])


def _share_a_code(planter: Planter) -> None:
    """Gives one firm's code to another: neither row can be trusted."""
    first, second = planter.choose("duplicate-code", 0)
    planter.put(second, "uscc", str(planter.frame.at[first, "uscc"]))
