"""What the approval and enforcement bodies hand in: licences and penalties of legal and natural persons (双公示)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.random import Generator

from gateway.sample import codes, names
from gateway.sample.dirt import Planter, always, full_width, loose_date
from gateway.sample.handover import Part
from gateway.sample.names import APPROVAL, ENFORCEMENT
from gateway.sample.subjects import Subjects, authority_code, days_before, mobiles, only, scaled

_LICENCES = np.array(
    ["食品经营许可", "道路运输经营许可", "排污许可", "建筑施工许可", "特种设备使用登记", "公共场所卫生许可"]
)
_LICENCE_CLASSES = np.array(["普通", "登记", "核准", "认可"])
_CONDUCT = np.array(
    ["超出核准范围经营", "未按规定公示信息", "未按规定处置固体废物", "使用未经检验的计量器具", "占用城市道路堆放物料"]
)
_SECTORS = np.array(["其他领域", "其他领域", "其他领域", "食品", "安全生产", "消防"])
_FINES = np.array([500, 1_000, 2_000, 3_500, 5_000, 10_000, 26_000, 50_000, 120_000])


def licences(rng: Generator, subjects: Subjects, on: date, scale: float) -> list[Part]:
    """Tables xk_legal and xk_natural of the approval body's database."""
    legal = _legal(rng, subjects, "XK", scaled(2_000, scale))
    natural = _natural(rng, subjects, "XK", scaled(1_000, scale))
    return [_licence_part(rng, legal, "legal", on), _licence_part(rng, natural, "natural", on)]


def penalties(rng: Generator, subjects: Subjects, on: date, scale: float) -> list[Part]:
    """Tables cf_legal and cf_natural of the enforcement body's database; the latter says when a row last changed."""
    legal = _penalty(rng, _legal(rng, subjects, "CF", scaled(2_300, scale)), on)
    natural = _penalty(rng, _natural(rng, subjects, "CF", scaled(1_200, scale)), on)
    return [
        _penalty_part(rng, legal, "legal"),
        _penalty_part(rng, natural.assign(updated_at=changed(rng, on, len(natural))), "natural"),
    ]


def changed(rng: Generator, on: date, size: int, days: int = 3) -> list[str]:
    """Local times in so many windows of a day, 02:00 to 02:00, of which the last ends on the day `on`."""
    end = datetime(on.year, on.month, on.day, 2)
    # One second at least before the end: windows are half-open.
    return [
        f"{end - timedelta(seconds=int(seconds)):%Y-%m-%d %H:%M:%S}" for seconds in rng.integers(1, days * 86_400, size)
    ]


def _legal(rng: Generator, subjects: Subjects, act: str, size: int) -> pd.DataFrame:
    firms = subjects.all_legal()
    chosen = firms.iloc[rng.integers(0, len(firms), size)].reset_index(drop=True)
    return pd.DataFrame(
        {
            f"{act}_XDR_MC": chosen["name"],
            f"{act}_XDR_LB": chosen["category"],
            f"{act}_XDR_SHXYM": chosen["uscc"],
            f"{act}_FRDB": chosen["legal_representative"],
        }
    )


def _natural(rng: Generator, subjects: Subjects, act: str, size: int) -> pd.DataFrame:
    people = subjects.people
    chosen = people.iloc[rng.integers(0, len(people), size)].reset_index(drop=True)
    return pd.DataFrame(
        {
            f"{act}_XDR_MC": chosen["name"],
            f"{act}_XDR_LB": "自然人",
            f"{act}_XDR_ZJLX": "身份证",
            f"{act}_XDR_ZJHM": chosen["id_number"],
        }
    )


def _licence_part(rng: Generator, subject: pd.DataFrame, kind: str, on: date) -> Part:
    size = len(subject)
    decided = days_before(rng, on, (1, 1_000), size)
    certificates = names.pick(rng, _LICENCES, size)
    frame = subject.assign(
        XK_XKWS=[f"{certificate}决定书" for certificate in certificates],
        XK_WSH=_numbers("澜审批许", kind, decided),
        XK_XKLB=names.pick(rng, _LICENCE_CLASSES, size),
        XK_XKZS=certificates,
        XK_XKBH=[f"LZ{kind[0].upper()}{number:08d}" for number in range(1, size + 1)],
        XK_NR=[f"准予{certificate}" for certificate in certificates],
        XK_JDRQ=_slashed(decided),
        XK_YXQZ=_slashed(decided),
        XK_YXQZI=[_until(day, draw) for day, draw in zip(decided, rng.random(size), strict=True)],
        XK_XKJG=APPROVAL.name,
        XK_XKJGDM=authority_code(APPROVAL),
        XK_ZT="1",
        XK_LYDW=APPROVAL.name,
        XK_LYDWDM=authority_code(APPROVAL),
        BZ=None,
        internal_note=[f"经办人 {number}" for number in mobiles(rng, size)],
    )
    planter = Planter(frame, rng)
    _dirty_subject(planter, "XK", kind)
    planter.plant("excel-fraction", 0.002, "XK_WSH", always("1/2000", "3/1999"))
    planter.plant("scientific-number", 0.002, "XK_WSH", always("3.30122E+14", "1.61617E+15"))
    planter.plant("mixed-date-form", 0.05, "XK_JDRQ", loose_date)
    planter.plant("sentinel", 0.05, "XK_XKBH", always("— —", "暂无", r"\N", "N/A"))
    planter.plant("full-width", 0.028, "XK_XKZS", full_width)
    planter.repeat(0.003)
    return _table("administrative_approval.administrative_licence", "approval.db#xk", kind, planter)


def _penalty(rng: Generator, subject: pd.DataFrame, on: date) -> pd.DataFrame:
    size = len(subject)
    decided = days_before(rng, on, (1, 1_100), size)
    # By the order in force since April 2026 a general decision is public for a year at most.
    years = np.where([day >= date(2026, 4, 1) for day in decided], 1, rng.choice([1, 3], size, p=[0.6, 0.4]))
    fines, conduct, warned = rng.choice(_FINES, size), names.pick(rng, _CONDUCT, size), rng.random(size) < 0.15
    return subject.assign(
        CF_WSH=_numbers("澜综执罚", "legal" if "CF_FRDB" in subject else "natural", decided),
        CF_WFXW=conduct,
        CF_SY=[f"经查，当事人{act}，事实清楚，证据确凿。" for act in conduct],
        CF_YJ="《云岭省城市管理条例》第三十二条",
        CF_CFLB=np.where(warned, "警告", "罚款"),
        CF_NR=np.where(warned, "警告", [f"罚款{fine}元" for fine in fines]),
        CF_NR_FK=only(~warned, [f"{fine / 10_000:.6f}" for fine in fines]),
        CF_JDRQ=_slashed(decided),
        CF_YXQ=_slashed([day + timedelta(days=365 * int(span)) for day, span in zip(decided, years, strict=True)]),
        CF_GSJZQ=_slashed([day + timedelta(days=365 * int(span)) for day, span in zip(decided, years, strict=True)]),
        CF_CFJG=ENFORCEMENT.name,
        CF_CFJGDM=authority_code(ENFORCEMENT),
        CF_SJLY=ENFORCEMENT.name,
        CF_SJLYDM=authority_code(ENFORCEMENT),
        CF_AJCX="普通程序",
        CF_ZT="有效",
        CF_HYLY=names.pick(rng, _SECTORS, size),
        CF_CKQX=None,
        CF_CJCS=only(~warned & (rng.random(size) < 0.1), ["限制参加评先评优"] * size),
        BZ=None,
        internal_note=[f"举报人电话 {number}" for number in mobiles(rng, size)],
    )


def _penalty_part(rng: Generator, frame: pd.DataFrame, kind: str) -> Part:
    planter = Planter(frame, rng)
    _dirty_subject(planter, "CF", kind)
    fined = planter.frame["CF_NR_FK"].notna()
    for position in planter.choose("fine-in-yuan", 0.005, fined):
        planter.put(position, "CF_NR_FK", f"{float(str(planter.frame.at[position, 'CF_NR_FK'])) * 10_000:.2f}")
    planter.plant("no-publicity-end", 0.003, "CF_GSJZQ", always("1900-1-1 0:00:00"))
    planter.plant("excel-fraction", 0.002, "CF_WSH", always("1/2000", "3/1999"))
    _plant_law(planter, kind)
    planter.plant("mixed-date-form", 0.05, "CF_JDRQ", loose_date)
    planter.plant("sentinel", 0.02, "CF_YXQ", always("无处罚期限", "1900-1-1 0:00:00"))
    planter.repeat(0.003)
    return _table("law_enforcement.administrative_penalty", "enforcement.db#cf", kind, planter)


def _plant_law(planter: Planter, kind: str) -> None:
    """What the department may not hand in, and what the law keeps from some recipients."""
    planter.plant("summary-procedure", 0.002, "CF_AJCX", always("简易程序"))
    planter.plant("secret-decision", 0.001, "CF_WSH", lambda number: f"机密·{number}")
    planter.plant("document-not-in-effect", 0.003, "CF_ZT", always("撤销"))
    planter.plant("document-held", 0.003, "CF_ZT", always("异议"))
    for position in planter.choose("lenient", 0.003, planter.frame["CF_NR_FK"].notna()):
        planter.put(position, "CF_CKQX", ("不可抗力", "轻微且非主观故意")[position % 2])
        planter.put(position, "CF_CJCS", "")
    fined = planter.frame["CF_NR_FK"].notna()
    heavy = ("measure-too-heavy", "限制参加招标投标") if kind == "legal" else ("measure-not-in-list", "限制申请财政性资金项目")
    for position in planter.choose(heavy[0], 0.002, fined):
        planter.put(position, "CF_CJCS", heavy[1])


def _dirty_subject(planter: Planter, act: str, kind: str) -> None:
    if kind == "legal":
        planter.plant("wrong-check-digit", 0.003, f"{act}_XDR_SHXYM", codes.with_wrong_check)
        planter.plant("lower-case-code", 0.005, f"{act}_XDR_SHXYM", str.lower)
        traders = planter.frame[f"{act}_XDR_LB"] == "个体工商户"
        for position in planter.choose("wrong-category", 0.003, traders):
            planter.put(position, f"{act}_XDR_LB", "法人及非法人组织")
    else:
        planter.plant("wrong-check-digit", 0.003, f"{act}_XDR_ZJHM", codes.with_wrong_check)
        for position in planter.choose("foreign-document", 0.003):
            planter.put(position, f"{act}_XDR_ZJLX", "护照号")
            planter.put(position, f"{act}_XDR_ZJHM", f"WW{position:07d}")


def _table(feed: str, place: str, kind: str, planter: Planter) -> Part:
    return as_table(f"{feed}_{kind}", f"{place}_{kind}", planter)


def as_table(feed: str, place: str, planter: Planter) -> Part:
    """A part whose columns bear the field codes, beside a running number and what only the department itself needs."""
    captions = {name: name for name in planter.frame.columns}
    own = [name for name in ("updated_at", "internal_note") if name in captions]
    return Part(feed, place, planter, captions, uncatalogued=("id", *own))


def _numbers(head: str, kind: str, decided: list[date]) -> list[str]:
    """Document numbers in a series of their own, in the brackets of the trade and in the ones a keyboard has."""
    mark, styles = ("法", "个")[kind == "natural"], ("〔{}〕", "〔{}〕", "[{}]", "({})")
    return [
        f"{head}{mark}{styles[number % 4].format(day.year)}第{number:05d}号" for number, day in enumerate(decided, 1)
    ]


def _slashed(days: list[date]) -> list[str]:
    return [f"{day:%Y/%m/%d}" for day in days]


def _until(decided: date, draw: float) -> str:
    """Three years, or one of the two ways of writing "long term"."""
    if draw > 0.3:
        return f"{decided + timedelta(days=3 * 365):%Y/%m/%d}"
    return "2099-12-31" if draw > 0.03 else "2099-01-31"
