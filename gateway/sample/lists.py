"""What the tax authority, the court and the credit office hand in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
from numpy.random import Generator

from gateway.sample import codes, names
from gateway.sample.acts import as_table, changed
from gateway.sample.dirt import Planter, always, full_width, loose_date, without_day
from gateway.sample.handover import Part
from gateway.sample.names import COURT, CREDIT, TAXATION
from gateway.sample.subjects import Subjects, authority_code, days_before, mobiles, only, scaled

TAX_ARREARS = {
    "name": "纳税人名称",
    "uscc": "纳税人识别号",
    "tax_authority": "主管税务机关",
    "tax_type": "所欠税种",
    "tax_period": "欠税属期",
    "balance": "欠税余额(元)",
    "announced_on": "公告日期",
}
CLASS_A = {"name": "纳税人名称", "uscc": "纳税人识别号", "evaluation_year": "评价年度", "tax_authority": "主管税务机关"}
_TAXES = np.array(["增值税", "企业所得税", "印花税", "城市维护建设税", "房产税"])
_PROMISES = np.array(["主动型", "审批替代型", "容缺受理型", "证明事项型", "信用修复型", "行业自律型"])


def tax_arrears(rng: Generator, firms: pd.DataFrame, on: date, scale: float) -> list[Part]:
    """Two files of the tax authority: UTF-8 with a byte order mark, and GB18030."""
    chosen = firms.iloc[rng.permutation(len(firms))[: scaled(900, scale)]].reset_index(drop=True)
    size = len(chosen)
    announced = days_before(rng, on, (1, 400), size)
    frame = chosen[["name", "uscc"]].assign(
        tax_authority=TAXATION.name,
        tax_type=names.pick(rng, _TAXES, size),
        tax_period=[f"{day.year}-{max(1, day.month - 1):02d}-01" for day in announced],
        balance=[f"{cents / 100:.2f}" for cents in rng.integers(10_000, 500_000_000, size)],
        announced_on=[day.isoformat() for day in announced],
    )
    half = size // 2
    feed = "taxation.tax_arrears"
    return [
        Part(feed, "tax_arrears_1.csv", _dirty_arrears(rng, frame[:half]), TAX_ARREARS, "utf-8-sig"),
        Part(feed, "tax_arrears_2.csv", _dirty_arrears(rng, frame[half:]), TAX_ARREARS, "gb18030"),
    ]


def class_a(rng: Generator, firms: pd.DataFrame, on: date, scale: float) -> Part:
    """Taxpayers of class A, a favourable list, as a spreadsheet."""
    chosen = firms.iloc[rng.permutation(len(firms))[: scaled(1_800, scale)]].reset_index(drop=True)
    frame = chosen[["name", "uscc"]].assign(
        evaluation_year=[str(year) for year in rng.integers(on.year - 3, on.year, len(chosen))],
        tax_authority=TAXATION.name,
        note=[f"财务负责人 {number}" for number in mobiles(rng, len(chosen))],
    )
    planter = Planter(frame, rng)
    planter.plant("wrong-check-digit", 0.002, "uscc", codes.with_wrong_check)
    planter.plant("full-width", 0.028, "uscc", full_width)
    planter.repeat(0.002)
    return Part(
        "taxation.class_a_taxpayer",
        "class_a_taxpayer.xlsx",
        planter,
        CLASS_A | {"note": "联系人"},
        uncatalogued=("联系人",),
    )


def defaulters(rng: Generator, subjects: Subjects, on: date, scale: float) -> Part:
    """Judgment defaulters of the court, firms and people in one store."""
    size = scaled(1_200, scale)
    firms, people = _some(rng, subjects.firms, size), _some(rng, subjects.people, size)
    is_person = rng.random(size) < 0.4
    filed, published = days_before(rng, on, (200, 900), size), days_before(rng, on, (3, 199), size)
    frame = pd.DataFrame(
        {
            "iname": np.where(is_person, people["name"], firms["name"]),
            "party_type": np.where(is_person, "0", "1"),
            "card_num": np.where(is_person, people["id_number"], firms["uscc"]),
            "business_entity": only(~is_person, firms["legal_representative"]),
            "court_name": COURT.name,
            "area_name": names.PROVINCE,
            "gist_id": [f"({day.year})云01民初{number}号" for number, day in enumerate(filed, 1)],
            "reg_date": [day.isoformat() for day in filed],
            "case_code": [f"{'（(['[n % 3]}{day.year}{'）)]'[n % 3]}云01执{n}号" for n, day in enumerate(filed, 1)],
            "gist_unit": COURT.name,
            "duty": "支付货款及逾期付款利息",
            "performance": names.pick(rng, np.array(["全部未履行", "部分履行", "全部已履行"]), size),
            "disrupt_type": "有履行能力而拒不履行生效法律文书确定义务",
            "publish_date": [day.isoformat() for day in published],
            "updated_at": changed(rng, on, size),
            "internal_note": [f"书记员 {number}" for number in mobiles(rng, size)],
        },
        dtype=object,
    )
    planter = Planter(frame, rng)
    planter.plant("wrong-check-digit", 0.003, "card_num", codes.with_wrong_check)
    planter.plant("epoch-date", 0.005, "publish_date", _epoch)
    planter.plant("mixed-date-form", 0.1, "reg_date", loose_date)
    planter.plant("sentinel", 0.03, "business_entity", always("— —", "暂无", "—"))
    planter.repeat(0.003)
    return as_table("court.judgment_defaulter", "court.db#judgment_defaulters", planter)


def commitments(rng: Generator, subjects: Subjects, on: date, scale: float) -> Part:
    """Credit commitments that the credit office keeps."""
    size = scaled(1_500, scale)
    chosen, promised = _some(rng, subjects.all_legal(), size), days_before(rng, on, (1, 700), size)
    frame = chosen[["name", "uscc"]].assign(
        commitment_type=names.pick(rng, _PROMISES, size),
        commitment_code=[f"CN{on.year}{number:06d}" for number in range(1, size + 1)],
        reason="办理行政许可事项",
        committed_on=[day.isoformat() for day in promised],
        liability="撤销许可并记入信用记录",
        content="承诺所提供的材料真实、合法、有效",
        acceptor=CREDIT.name,
        acceptor_uscc=authority_code(CREDIT),
        status=names.pick(rng, np.array(["已履行", "履行中", "未履行"]), size),
        internal_note=[f"联系电话 {number}" for number in mobiles(rng, size)],
    )
    planter = Planter(frame, rng)
    planter.plant("wrong-check-digit", 0.003, "uscc", codes.with_wrong_check)
    planter.plant("lower-case-code", 0.005, "uscc", str.lower)
    planter.plant("mixed-date-form", 0.05, "committed_on", loose_date)
    planter.plant("sentinel", 0.05, "liability", always("— —", "暂无", "—"))
    planter.repeat(0.003)
    return as_table("credit_office.credit_commitment", "credit_office.db#credit_commitments", planter)


def _dirty_arrears(rng: Generator, frame: pd.DataFrame) -> Planter:
    planter = Planter(frame, rng)
    planter.plant("wrong-check-digit", 0.003, "uscc", codes.with_wrong_check)
    planter.plant("no-day", 0.01, "announced_on", without_day)
    planter.plant("mixed-date-form", 0.1, "announced_on", loose_date)
    planter.plant("sentinel", 0.3, "tax_period", always("", "N/A"))
    planter.plant("full-width", 0.028, "uscc", full_width)
    planter.repeat(0.003)
    return planter


def _some(rng: Generator, subjects: pd.DataFrame, size: int) -> pd.DataFrame:
    return subjects.iloc[rng.integers(0, len(subjects), size)].reset_index(drop=True)


def _epoch(text: str) -> str:
    """The same day as seconds since 1970."""
    return str(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()))
