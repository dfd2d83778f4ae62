"""What the protocol asks of the other side, in the words of a contract 接口约定: by exchange method, in Chinese and English."""

from __future__ import annotations

from catalog.parties import Recipient, RecipientKind

METHODS = {"rest": "服务方式 REST", "package": "文件方式 file package", "frontend": "前置机 front-end database"}
EFFECTS = {"stop_sharing": "停止共享：不再展示、答复、转供或使用，可另行封存 no longer shown, answered with, passed on or used; may be kept apart",
           "mark": "标注：保留并展示，凡展示或答复处标明“已标注”及原因 kept and shown, marked with the reason wherever it is shown",
           "block": "屏蔽：对任何人均不展示、不答复 kept apart from everything that shows or answers",
           "delete": "删除：从存储、检索、缓存与副本中删除 removed from store, search, caches and copies"}
NOTICES = {"repair": "信用修复 repair", "objection": "异议 objection", "correction": "更正 correction", "revocation": "撤销 revocation",
           "expiry": "公示期满 publicity ended", "consent-ended": "授权终止 consent ended", "catalogue-changed": "目录调整 catalogue changed"}
WORKING_DAYS = 3

_FORMATS = {
    "jsonl": "`<batch>.jsonl`，每行一条 `{\"handle\",\"fields\"}`。One record a line.",
    "csv": "`<batch>.csv`：UTF-8（含 BOM）、逗号、CRLF、每格加引号；首行为中文标题，第一列为 `handle`。UTF-8 with BOM, comma, CRLF, every cell in "
           "quotes; one row of Chinese headings, `handle` first.",
    "xlsx": "`<batch>.xlsx`：一个工作表，全部为文本；首行为中文标题，第一列为 `handle`。One sheet, all text; one row of Chinese headings, "
            "`handle` first."}
_CELLS = ("单元格规则 `apostrophe-1`：空单元格为无值；以 `'` 开头的先去掉这一个撇号，再把 `\\u{十六进制}` 还原为字符；其余原样读取。清单的 "
          "`columns` 按单元格顺序列出数据项代码。Rule of the cells: empty is no value; a leading apostrophe goes, then each `\\u{…}` is that "
          "character; any other cell is the value. `columns` of the manifest names the fields in the order of the cells.")

_SIGNED = {
    "rest": (
        "`POST {url}/v1/batches`，正文 `{\"batch\",\"entry\",\"records\":[{\"handle\",\"fields\"}]}`，首部 `Authorization: Bearer`、"
        "`Idempotency-Key`（批次号）、`Content-Digest`（SHA-256）。The body is JSON; the key is the batch id.",
        "请求按 RFC 9421 签名（Ed25519，标签 `pcg`，`tag=\"pcg-delivery\"`），覆盖 `@method`、`@target-uri`、`content-digest`、`content-type`、"
        "`idempotency-key`，含 `created`、`expires`（五分钟后）、`nonce`、`keyid`。贵方须验签、重算摘要，同一 `nonce` 只收一次，未签名者不收。"
        "Signed by RFC 9421 over these components: check the signature, reckon the digest anew, take a nonce once, refuse all else.",
        "同一批次号、同一摘要再次到达，返回同一回执；摘要不同则返回 409。限流返回 429 或 5xx 及 `Retry-After`。The same key and digest get the same "
        "receipt again; another digest gets 409; 429 or 5xx with `Retry-After` asks for a pause."),
    "package": (
        "`incoming/` 中依次放入数据文件、`<batch>.<清单 SHA-256 的前 16 位十六进制>.sig`、`<batch>.manifest.json`（最后）。清单为 `{\"batch\",\"entry\",\"records\",\"files\":"
        "[{\"name\",\"sha256\",\"bytes\"}],\"pushed_at\"}`。The manifest comes last: who sees it finds the rest whole.",
        "`.sig` 为 `<密钥编号>:<对清单字节的 Ed25519 签名，base64>`；未取的批次可能以新清单再次放入，故按所读清单的摘要取其签名。贵方须验签、核对文件名、大小与 "
        "SHA-256，不符不收；按 `pushed_at` 先后处理。A batch not yet taken may be put again under a newer manifest: find the signature by the "
        "first 16 hex digits of the SHA-256 of the manifest you read. Check it, names, sizes and digests; take packages in the order of `pushed_at`. "
        "先读完数据，再移走清单：没有清单的文件由我方清除。Read the data before you move the manifest away: files without a manifest we clear."),
    "frontend": (
        "贵方在前置库为每个事项建表 `share_<entry>`：`handle`（主键）、`batch`、`pushed_at`、`effect`、`notice` 及各数据项（文本列，可为空）由我方写入；"
        "`taken_flag`、`taken_at`、`failure_reason` 由贵方写入。The recipient makes one table an entry; the first columns are ours, the last three theirs.",
        "文本列不限长度并能存全部 Unicode 汉字（MariaDB、MySQL 用 `utf8mb4`）：存不下的值不截断、不替换，整批不写入。Text columns hold text of any length "
        "and every character; what does not fit is neither cut nor replaced, and its whole batch is not written.",
        "数据库账号即凭据，仅用于上述各表。The database account is the credential, for these tables only.")}
_RECEIPTS = {
    "rest": "应答 200，正文即回执 `{\"batch\",\"entry\",\"content_digest\",\"received_at\",\"records\":[{\"handle\",\"status\":\"accepted\"|\"refused\","
            "\"reason\"}]}`，按 RFC 9421 签名（`tag=\"pcg-receipt\"`），覆盖 `@status`、`content-digest`、`content-type`、`\"content-digest\";req`、"
            "`\"idempotency-key\";req`、`\"signature\";req;key=\"pcg\"`，五分钟内有效。The answer is the receipt, signed so that it answers this request alone.",
    "package": "在 `receipts/` 先放 `<batch>.receipt.sig`（`<密钥编号>:<base64 签名>`），最后放 `<batch>.receipt.json`：`{\"batch\",\"entry\",\"content_digest\","
               "\"received_at\",\"records\":[{\"handle\",\"status\":\"accepted\"|\"refused\",\"reason\"}]}`；`content_digest` 为收到的数据文件的 "
               "`sha-256=:<base64>:`。The signed receipt file, over the data file as it came.",
    "frontend": "`taken_flag`：空为未取，1 为已取，2 为失败（`failure_reason` 写原因代码）。该标志即回执。标志只写在所读的批次上（`WHERE handle = ? AND batch = "
                "?`）：读取之后该行可能已换成撤回。Empty: not yet, 1 taken, 2 failed with its reason; the flag is the receipt. Set it on the batch that "
                "you read (`WHERE handle = ? AND batch = ?`): the row may have become a withdrawal since."}
_INQUIRIES = {
    "rest": "`POST {url}/v1/statements`，签名与应答同上。Signed and answered like a batch.",
    "package": "`incoming/<inquiry>.inquiry.json`（及 `.sig`）；答复为 `receipts/<inquiry>.statement.sig`，再 `.statement.json`。Asked and answered as signed files.",
    "frontend": "我方直接读取已取各行，贵方无须处理。The gateway reads the rows that are taken; nothing is to be done."}


def delivered(recipient: Recipient) -> list[str]:
    """How a batch comes and how it is signed."""
    words = [f"- {line}" for line in _SIGNED[recipient.method]]
    if recipient.method == "package":
        words.append(f"- 数据文件 data：{_FORMATS[recipient.format]}")
        words += [f"- {_CELLS}"] if recipient.format != "jsonl" else []
    words.append("- `handle` 是贵方对该记录的编号：更新以同一编号到达，整条替换。An update comes under the same handle and replaces the record whole.")
    return words


def answered(recipient: Recipient) -> list[str]:
    """What a receipt looks like, by when, and what it counts for."""
    return [f"- {_RECEIPTS[recipient.method]}",
            f"- 每批 {recipient.deadline} 秒内给出；未提及的记录仍为待推送；没有有效回执，一律不视为送达。Within {recipient.deadline} seconds of each batch; what "
            "it does not name stays pending, and nothing counts as delivered without a valid receipt.",
            "- 拒收原因为小写字母、数字与 `-` 组成的代码，不得含个人信息。A reason is a code of small letters, digits and `-`, never a value."]


def asked(recipient: Recipient) -> list[str]:
    """How the recipient is asked what it holds."""
    return [f"- {_INQUIRIES[recipient.method]}",
            "- 询问为 `{\"inquiry\",\"entry\",\"prefixes\",\"length\",\"publicity_end\"}`；`length` 大于 0 时按编号前缀分段答复 `{\"prefix\",\"records\",\"digest\"}`，为 0 "
            "时逐条答复 `{\"handle\",\"digest\",\"ends_on\"}`。记录摘要为 SHA-256，依次取 `handle` 及各非空数据项（按代码排序）的 U+001F、代码、U+001E、值；段摘要"
            "为段内各记录摘要升序相连后的 SHA-256。不传任何数据项。Segments by beginning of the handle, or record by record; only digests travel."]


def effect_of(kind: RecipientKind, notice: str) -> str:
    """The effect a notice has at a kind of recipient where the order names no other (D41)."""
    if notice == "objection":
        return "block"
    return "delete" if kind is RecipientKind.PUBLICITY_SITE else "stop_sharing"
