"""The catalogue as pages for people 目录页面, in Chinese and English, made from the YAML and compared with it in CI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalog.base import Title
from catalog.law import Basis
from catalog.load import Catalog
from catalog.model import Entry, Grant

_SHARE = {"unconditional": "无条件共享 unconditional", "conditional": "有条件共享 conditional", "not_shared": "不予共享 not shared"}
_SENSITIVITY = {"open": "公开 open", "personal": "个人信息 personal", "sensitive_personal": "敏感个人信息 sensitive personal",
                "business_secret": "商业秘密 business secret"}
LABELS = {"open": "明文 open", "name": "姓名脱敏 name", "id_number": "证件号脱敏 ID number", "mobile": "手机号脱敏 mobile",
         "address": "地址脱敏 address", "account": "账号脱敏 account", "token": "令牌 token"}
_NATURE = {"adverse": "负面 adverse", "neutral": "中性 neutral", "favourable": "正面 favourable"}
_RECALLED = "（待核对原文 recalled, not checked against the original）"
_MADE = "*由目录数据生成，请勿手工修改：`gateway catalog docs`。Made from the catalogue; do not edit by hand.*"


def pages(catalog: Catalog) -> dict[str, str]:
    """Every page by its file name. The same catalogue gives the same pages."""
    made = {f"{key}.md": _entry(catalog, key, entry) for key, entry in sorted(catalog.entries.items())}
    made |= {"README.md": _index(catalog), "instruments.md": _instruments(catalog), "lists-and-measures.md": _lists(catalog),
             "repair-and-editions.md": _repair(catalog)}
    made |= {f"recipient-{name}.md": _contract(catalog, name) for name in catalog.recipients}
    return {name: text.rstrip() + "\n" for name, text in made.items()}


def _contract(catalog: Catalog, name: str) -> str:
    from catalog.contract import contract  # which is written with the words of this module

    heading, _, rest = contract(catalog, name).partition("\n\n")
    return "\n\n".join([heading, _MADE, rest])


def _index(catalog: Catalog) -> str:
    rows = [(f"{entry.category:02d}", f"[{both(entry.title)}]({key}.md)", _NATURE[entry.nature], str(len(entry.fields)),
             "、".join(sorted(entry.grants)) or "—") for key, entry in sorted(catalog.entries.items(), key=lambda each: (each[1].category, each[0]))]
    return "\n\n".join([
        "# 公共信用信息目录 Catalogue of public credit information", _MADE,
        table(("类别 category", "事项 entry", "性质 nature", "数据项 fields", "接收方 recipients"), rows),
        "接口约定 Contracts：" + " · ".join(f"[{both(each.title)}](recipient-{name}.md)" for name, each in sorted(catalog.recipients.items())),
        "[法律依据 Instruments](instruments.md) · [严重失信名单与惩戒措施 Lists and measures](lists-and-measures.md) · "
        "[信用修复规则与目录版本 Repair rules and editions](repair-and-editions.md)"])


def _entry(catalog: Catalog, key: str, entry: Entry) -> str:
    parts = [f"# {both(entry.title)}", _MADE, _facts(catalog, key, entry), "## 依据 Basis", _bases(catalog, entry.basis),
             "## 数据项 Fields", _fields(entry)]
    if entry.collection and entry.collection.scope:
        parts += ["## 个人信息归集 Collection of personal data", f"{both(entry.collection.purpose)}；{both(entry.collection.method)}",
                  table(("数据项 field", "范围 scope"), sorted(entry.collection.scope.items()))]
    for name, grant in sorted(entry.grants.items()):
        parts += [f"## 提供给 {both(catalog.recipients[name].title)} (`{name}`)", *_grant(catalog, grant)]
    return "\n\n".join(parts)


def _facts(catalog: Catalog, key: str, entry: Entry) -> str:
    windows = "；".join(window(each.in_force_from, each.in_force_to) for each in catalog.versions[key])
    rows = [("事项代码 key", f"`{key}`"), ("类别 category", f"{entry.category:02d}"), ("性质 nature", _NATURE[entry.nature]),
            ("目录版本 editions", "、".join(entry.editions)), ("版本期间 versions", windows),
            ("记录主键 natural key", "、".join(f"`{code}`" for code in entry.natural_key))]
    if entry.legacy:
        rows.append(("存量清理 legacy review", f"{entry.legacy.reviewed_on} {entry.legacy.document}"))
    if entry.document:
        rows.append(("法律文书 document", f"{entry.document.kind}；" + "、".join(
            f"`{code}`" for code in (entry.document.number, entry.document.date, entry.document.authority, entry.document.authority_code) if code)))
    if entry.publicity_end:
        rows.append(("公示截止 end of publicity", f"`{entry.publicity_end}`" + ("，按信用修复规则计算上限 capped by the repair rule" if entry.clock else "")))
    if entry.listing:
        rows.append(("严重失信名单 list", f"`{entry.listing.list}`"))
    if entry.repair:
        forbidden = "不予修复 not repairable" if entry.repair.forbidden_by else "可修复 repairable"
        rows.append(("信用修复 repair", f"{forbidden}；{both(entry.repair.authority)}"))
    return table(("项目 what", "内容 content"), rows)


def _fields(entry: Entry) -> str:
    rows = [(f"`{code}`", both(field.title), field.type + ("，必填 required" if field.required else ""), _SENSITIVITY[field.sensitivity],
             _SHARE[field.share], "可公示 yes" if field.publish else "不公示 no") for code, field in entry.fields.items()]
    return table(("代码 code", "名称 name", "类型 type", "敏感性 sensitivity", "共享属性 share", "公示 publish"), rows)


def _grant(catalog: Catalog, grant: Grant) -> list[str]:
    parts = [_bases(catalog, grant.basis), "主体 subjects：" + "、".join(grant.subjects)]
    if grant.condition:
        parts.append(f"条件 condition：{both(grant.condition.purpose)}，{grant.condition.application}，"
                     f"{window(grant.condition.approved_on, grant.condition.until)}")
    if grant.consent:
        parts.append(f"须经主体同意 consent：{grant.consent.purpose}，{both(grant.consent.scope)}，最长 at most {grant.consent.max_days} 天 days")
    by_mask: dict[str, list[str]] = {}
    for code, mask in grant.fields.items():
        by_mask.setdefault(LABELS[mask], []).append(f"`{code}`")
    return [*parts, "\n".join(f"- {mask}：{'、'.join(codes)}" for mask, codes in sorted(by_mask.items()))]


def _instruments(catalog: Catalog) -> str:
    rows = [(f"`{key}`", f"{each.number}《{each.title.zh}》{each.title.en}", each.level + (f" {each.region}" if each.region else ""),
             window(each.in_force_from, each.in_force_to),
             "<br>".join(f"{article}：{text.zh} {text.en}" + (f"（许可 allows {'、'.join(text.allows)}）" if text.allows else "")
                         for article, text in each.articles.items()),
             "已核对 confirmed" if each.evidence == "confirmed" else "待核对 recalled") for key, each in sorted(catalog.instruments.items())]
    return "\n\n".join(["# 法律依据 Legal instruments", _MADE, table(
        ("键 key", "文号与名称 number and title", "位阶 level", "有效期间 in force", "条款 articles", "核对 evidence"), rows)])


def _lists(catalog: Catalog) -> str:
    parts = ["# 严重失信名单与惩戒措施 Lists of seriously dishonest entities, and measures", _MADE]
    for key, known in sorted(catalog.lists.items()):
        standard = known.standard
        parts += [f"## {both(known.title)} (`{key}`)", _bases(catalog, (*known.basis, standard.basis)), table(("项目 what", "内容 content"), [
            ("公开征求意见 public comment", window(standard.comment_from, standard.comment_to)),
            ("标准公布 standard published", f"{standard.on_credit_china}；{standard.on_department_site}"),
            ("移出条件 conditions of removal", both(standard.removal_conditions)), ("移出程序 procedure", both(standard.removal_procedure)),
            ("救济途径 relief", both(standard.relief)), ("认定机关级别 level", known.level),
            ("效果评估 assessment", f"{known.assessment.last_on}，每 every {known.assessment.every_months} 个月 months")])]
    for key, listed in sorted(catalog.measures.items()):
        parts += [f"## {both(listed.title)} (`{key}`)", window(listed.in_force_from, listed.in_force_to) + _mark(listed.recalled), table(
            ("惩戒措施 measure", "惩戒内容 content", "惩戒对象 subjects", "依据 basis", "实施主体 implementer", "适用程度 grades"),
            [(f"`{code}` {both(each.title)}", both(each.content), "、".join(each.subjects), "；".join(cited(catalog, basis) for basis in each.basis),
              both(each.implementer), "、".join(each.grades)) for code, each in listed.measures.items()])]
    return "\n\n".join(parts)


def _repair(catalog: Catalog) -> str:
    parts = ["# 信用修复规则与目录版本 Repair rules and editions", _MADE]
    for key, rule in sorted(catalog.repair_rules.items()):
        parts += [f"## {both(rule.title)} (`{key}`)", f"决定日期 decided {rule.decided_from or '…'} – {rule.decided_to or '…'}{_mark(rule.recalled)}",
                  table(("程度 grade", "公示 published", "最短（月）least", "最长（月）most"), [
                      (grade, "是 yes" if period.publish else "否 no", str(period.min_months), str(period.max_months))
                      for grade, period in rule.periods.items()]),
                  "、".join(f"{word} → {grade}" for word, grade in rule.grades.items())]
    rows = [(f"`{key}`", both(each.title), each.document, str(each.announced_on or "未公布 proposal"),
             window(each.in_force_from, each.in_force_to), "、".join(each.recalled) or "—") for key, each in sorted(catalog.editions.items())]
    parts += ["## 目录版本 Editions", table(("键 key", "名称 title", "文件 document", "公布 announced", "期间 in force", "待核对 recalled"), rows)]
    return "\n\n".join(parts)


def _bases(catalog: Catalog, bases: Sequence[Basis]) -> str:
    return "\n".join(f"- {cited(catalog, basis)}" for basis in bases)


def cited(catalog: Catalog, basis: Basis) -> str:
    instrument = catalog.instruments[basis.instrument]
    text = instrument.articles[basis.article]
    return (f"《{instrument.title.zh}》{instrument.number} {basis.article}：{text.zh} {text.en}"
            + (_RECALLED if instrument.evidence == "recalled" else ""))


def _mark(recalled: Sequence[str]) -> str:
    return f"；待核对 recalled: {'、'.join(recalled)}" if recalled else ""


def both(title: Title) -> str:
    return f"{title.zh} {title.en}"


def window(since: object, until: object) -> str:
    return f"{since} – {until or '至今 now'}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
