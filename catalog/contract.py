"""A recipient's whole contract 接口约定 as a page for its engineers, in Chinese and English, made from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from catalog import protocol
from catalog.docs import LABELS, both, cited, table, window
from catalog.load import Catalog
from catalog.model import Basis, Entry, Grant, Recipient

_KINDS = {"sharing_platform": "共享平台 sharing platform", "publicity_site": "公示网站 publicity site", "department": "使用部门 department"}
_BODIES = {"authority": "国家机关 authority", "financial_institution": "金融机构 financial institution", "credit_service": "信用服务机构 credit service",
           "association": "行业协会商会 association", "media": "媒体 media"}
_SUBJECTS = {"legal_person": "法人和非法人组织 legal persons", "natural_person": "自然人 natural persons"}


def contract(catalog: Catalog, name: str, keys: str = "") -> str:
    """The contract of one recipient as Markdown: terms, what it may have field by field and on which basis, how a batch comes and is
    answered, how records are taken back and how it is asked what it holds.

    `keys` is a table of the keys in use, which only a gateway knows. The same catalogue gives the same text. Raises KeyError.
    """
    recipient = catalog.recipients[name]
    parts = [f"# {both(recipient.title)}：接口约定 Contract", _terms(name, recipient), *([keys] if keys else []), "## 提供的事项 What it may have",
             "未列出的事项和数据项一律不提供。What is not listed is not given (I1).", *_entries(catalog, name),
             "## 推送与签名 How a batch comes", "\n".join(protocol.delivered(recipient)),
             "## 回执 What it must answer", "\n".join(protocol.answered(recipient)),
             "## 撤回 Taking records back", *_taken_back(recipient),
             "## 对账 What it is asked each morning", "\n".join(protocol.asked(recipient)),
             "协议细节 details: [connections](../connections.md)"]
    return "\n\n".join(parts)


def _terms(name: str, recipient: Recipient) -> str:
    rows = [("接收方代码 key", f"`{name}`"), ("类别 kind", f"{_KINDS[recipient.kind]}；{_BODIES[recipient.body]}"),
            ("联系 contact", recipient.contact), ("交换方式 method", protocol.METHODS[recipient.method]),
            ("地址与凭据 endpoint and credentials", f"连接 connection `{recipient.connection}`（`connections.yml`，不入目录 not in the catalogue）"),
            ("公钥 public keys", "双方 Ed25519：贵方登记我方签名公钥，我方登记贵方回执公钥 each side registers the other's"
             if recipient.method != "frontend" else "— 标志即回执 the flag is the receipt"),
            ("数据格式 format", recipient.format if recipient.method == "package" else "—"),
            ("每批上限 batch size", f"{recipient.batch_size} 条 records"),
            ("每分钟批次上限 rate", f"{recipient.rate} 批 batches a minute" if recipient.rate else "不限 no limit"),
            ("回执时限 deadline", f"{recipient.deadline} 秒 seconds"), ("撤回时限 takedowns", _by_when())]
    if recipient.public:
        rows.append(("公开页面 public pages", f"`{recipient.public.record}`，`{recipient.public.search}`"))
    return table(("项目 what", "约定 term"), rows)


def _entries(catalog: Catalog, name: str) -> Iterator[str]:
    for key, entry in sorted(catalog.entries.items()):
        if (grant := entry.grants.get(name)) is not None:
            yield f"### {both(entry.title)} ([`{key}`]({key}.md))"
            yield "\n".join(_conditions(catalog, entry, grant))
            yield _fields(catalog, entry, grant)


def _conditions(catalog: Catalog, entry: Entry, grant: Grant) -> list[str]:
    said = [f"- 依据 basis {_mark(place)}：{cited(catalog, basis)}" for place, basis in enumerate(grant.basis)]
    said.append("- 主体 subjects：" + "、".join(_SUBJECTS[kind] for kind in grant.subjects))
    if grant.condition:
        said.append(f"- 条件 condition：{both(grant.condition.purpose)}，{grant.condition.application}，"
                    f"{window(grant.condition.approved_on, grant.condition.until)}")
    if grant.consent:
        said.append(f"- 须经主体同意 consent：{both(grant.consent.scope)}，最长 at most {grant.consent.max_days} 天 days")
    if entry.publicity_end in grant.fields:
        said.append(f"- 公示截止 end of publicity：`{entry.publicity_end}`，过期即不再展示 not shown after that day (I9)")
    return said


def _fields(catalog: Catalog, entry: Entry, grant: Grant) -> str:
    basis = "、".join(f"{_mark(place)} {_short(catalog, each)}" for place, each in enumerate(grant.basis))
    rows = [(f"`{code}`", both(entry.fields[code].title), entry.fields[code].type
             + (f"({entry.fields[code].length})" if entry.fields[code].length else "")
             + ("，必填 required" if entry.fields[code].required else ""), LABELS[mask], basis) for code, mask in grant.fields.items()]
    return table(("代码 code", "名称 name", "类型 type", "脱敏 mask", "依据 basis"), rows)


def _taken_back(recipient: Recipient) -> list[str]:
    rows = [(f"`{notice}`", said, f"`{protocol.effect_of(recipient.kind, notice)}`") for notice, said in protocol.NOTICES.items()]
    batch = {"rest": "正文有 `effect`，记录为 `{\"handle\",\"notice\"}` the body says `effect`",
             "package": "清单及每行（每行表格）均有 `effect`，并有 `notice` manifest and every row say `effect`",
             "frontend": "该编号的行重新写入，`effect`、`notice` 有值，各数据项为空 the row comes anew, its fields empty"}[recipient.method]
    words = [f"- 撤回批次不含任何数据项：{batch}；未写 `effect` 的批次为提供。A batch without `effect` brings.",
             f"- {_by_when()}：须先执行、后回执；编号不明者也答 `accepted`；未知的 `effect` 或 `notice` 一律拒收。Do it first, then answer; an unknown handle is "
             "`accepted`, an unknown effect or notice is refused.",
             "- 撤回优先于其他批次，按到达先后执行，已撤回的记录不得自行恢复。A record taken back must not come back by itself."]
    if recipient.public:
        words.append("- 回执后我方读取公开页面：记录页须为 404 或 410，检索不得出现该编号，方为核实。Only then is a takedown verified.")
    return ["\n".join(words), table(("`effect`", "贵方当即执行 what the recipient does at once"), [(f"`{name}`", said) for name, said in protocol.EFFECTS.items()]),
            table(("`notice`", "原因 reason", "通常的 usual `effect`"), rows)]


def _by_when() -> str:
    return f"命令未另定的，{protocol.WORKING_DAYS} 个工作日内确认 confirmed within {protocol.WORKING_DAYS} working days unless the order says otherwise"


def _mark(place: int) -> str:
    return f"[{place + 1}]"


def _short(catalog: Catalog, basis: Basis) -> str:
    return f"《{catalog.instruments[basis.instrument].title.zh}》{basis.article}"
