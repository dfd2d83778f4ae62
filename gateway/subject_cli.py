"""`gateway subject …`: what is held of one subject and who got it, and the register of all who looked something up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.manners import FAILED, USAGE, AsJson, Document, Person, Purpose, complain, number_asked, opened, usage, write_private

if TYPE_CHECKING:
    from gateway.settings import Gateway

subject_app = typer.Typer(no_args_is_help=True, help=(
    "What the gateway holds of one subject. The credit code or ID number is read from standard input, never from the command line; "
    "every look-up stands on the ledger with person, role and purpose, refusals too, and compliance reviews it."))


# Of a number under which nothing is held.
_DOUBTS = {
    "check-digit": "号码校验码不符，可能输入有误：查无记录不等于没有记录，请核对后重新输入。 the check digit of the number is wrong, so "
                   "that 0 records may mean a typing mistake; compare it with the paper and type it again",
    "no-known-form": "号码不符合统一社会信用代码、公民身份号码、组织机构代码或旧注册号的格式；如非护照等其他证件号码，"
                     "查无记录可能是输入有误，请核对。 "
                     "the number has the form of no credit code, ID number, organisation code or old registration number; unless it is "
                     "that of another document, 0 records may mean a typing mistake; compare it with the paper",
}


class Found(StrEnum):
    OK = "ok"
    QUERY = "query"
    ABUSE = "abuse"


@subject_app.command()
def report(
    out: Annotated[Path, typer.Option(dir_okay=False, help="Where the HTML page goes, mode 0600.")],
    person: Person = "", purpose: Purpose = "", document: Document = "", as_json: AsJson = False,
) -> None:
    """Write a page for the subject: what is held, to whom it went, when, on which basis and under which edition, what was taken back,
    and what the subject applied for and consented to. The number is asked for, so that it stays in no shell's history."""
    from console.subject import page
    from gateway.subject import LookUp

    gateway = opened("catalog", "keyring")
    # Before anything is looked up: a look-up whose page goes nowhere would still stand on the ledger.
    usage([] if out.absolute().parent.is_dir() else [str(out)],
          "文件夹不存在，请先建立，或者用 --out 另指位置。 its folder is not there; make it, or name another place with --out")
    told = _found(gateway, LookUp(number_asked(), person, purpose, document), "report")
    write_private(out, page(told).encode())
    typer.echo(json.dumps(told, ensure_ascii=False, indent=1) if as_json else f"{len(told['records'])} records, written to {out}")


@subject_app.command()
def show(person: Person = "", purpose: Purpose = "", document: Document = "") -> None:
    """Show on the screen what is held of the subject and who was given it. The number is asked for, so that it stays in no shell's
    history."""
    from console.words import both
    from gateway.subject import LookUp

    told = _found(opened("catalog", "keyring"), LookUp(number_asked(), person, purpose, document), "show")
    for record in told["records"]:
        typer.echo("\n".join(_of_record(record)))
    for case in told["cases"]:
        kind, state = both("kind." + case["kind"]), both("case." + case["state"])
        typer.echo(f"{kind} {case['case']}: {state}  {case['record']}")
    for consent in told["consents"]:
        ended = f"，已撤销 revoked {consent['revoked_on']}" if consent["revoked_on"] else ""
        typer.echo(f"同意 consent {consent['purpose']}: {consent['issued_on']} – {consent['expires_on']}{ended}  {consent['document']}")
    if told["unread_entries"]:
        typer.echo(f"未检索 not looked through, since they left the catalogue: {', '.join(told['unread_entries'])}")
    typer.echo(f"{len(told['records'])} records 条")


@subject_app.command()
def lookups(
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only from this day on, Shanghai.")] = None,
    by: Annotated[str, typer.Option(help="Only this person's.")] = "",
    unreviewed: Annotated[bool, typer.Option("--unreviewed", help="Only what waits for a review.")] = False,
    as_json: AsJson = False,
) -> None:
    """List every look-up and refusal for review: line, when, who, role, for what, what it came to, due day, finding.

    The subject stands there under its keyed name. Ends with 3 if a review is overdue.
    """
    from gateway.lookups import is_open, look_ups
    from gateway.settings import SHANGHAI

    from_ = since.replace(tzinfo=SHANGHAI) if since else None
    rows = [row for row in look_ups(opened()) if (not by or row["person"] == by) and (not unreviewed or is_open(row))
            and (from_ is None or datetime.fromisoformat(row["at"]) >= from_)]
    waiting, late = sum(map(is_open, rows)), sum(row["overdue"] for row in rows)
    typer.echo(json.dumps(rows, ensure_ascii=False, indent=1) if as_json else "\n".join(
        [*map(_line, rows), f"{len(rows)} look-ups 次查询，{waiting} to review 待审查，{late} overdue 逾期"]))
    raise typer.Exit(FAILED if late else 0)


@subject_app.command()
def review(
    seq: Annotated[int, typer.Argument(help="The line of the look-up, as `lookups` gives it.")],
    by: Annotated[str, typer.Option(help="Who reviews: somebody of compliance who did not look up.")],
    finding: Annotated[Found, typer.Option(help="ok; query: the person is to explain; abuse.")],
) -> None:
    """Put the review of a look-up on the ledger."""
    from gateway.lookups import Finding, NotReviewed
    from gateway.lookups import review as enter

    try:
        enter(opened(), seq, by, Finding(finding))
    except NotReviewed as error:
        complain(str(error))
        raise typer.Exit(USAGE) from None
    typer.echo(f"line {seq}: {finding} by {by}")


def _found(gateway: Gateway, asked: Any, what: str) -> dict[str, Any]:
    from gateway.lookups import Refused, WrongNumber
    from gateway.subject import report as found
    from ledger.editions import EditionUnknown

    try:
        told = found(gateway, asked, what)
    except (Refused, EditionUnknown) as error:
        complain(str(error))
        raise typer.Exit(USAGE if isinstance(error, WrongNumber) else FAILED) from None
    if told["doubt"]:
        complain(_DOUBTS[told["doubt"]])
    return told


def _of_record(record: dict[str, Any]) -> Iterator[str]:
    from console.words import both
    from gateway.settings import in_shanghai

    yield f"{record['title']['zh']} {record['title']['en']}  {record['record']}"
    if record["until"]:
        yield f"  ✕ 来源单位已更正，不再属本主体 bears this subject's number no more since {in_shanghai(record['until'])}"
    yield from (f"    {field['title']['zh']}：{field['value']}" for field in record["fields"])
    for given in record["given"]:
        effect, state = both("effect." + given["effect"]), both("batch." + given["state"])
        basis = "、".join(f"《{each['title']['zh']}》{each['article']}" for each in given["basis"])
        yield f"  → {given['title']['zh']} {given['title']['en']}  {in_shanghai(given['at'])}  {effect}, {state}  {basis}".rstrip()
    if back := record["taken_back"]:
        reason = both("notice." + back["reason"])
        yield f"  ✕ 已撤回或标注 taken back or marked: {reason}  {in_shanghai(back['since'])}  {back['document']}"


def _line(row: dict[str, Any]) -> str:
    from gateway.settings import in_shanghai

    is_refused, shown = row["event"].endswith("refused"), "" if row["records"] is None else f" {row['records']} records"
    outcome = f"{'refused ' if is_refused else ''}{row['outcome']}{shown}"
    reviewed = f"{row['finding']} by {row['reviewed_by']}" if row["finding"] else "overdue 逾期" if row["overdue"] else f"due {row['due']}"
    about = " ".join(f"{name} {said}" for name, said in row["about"].items())
    return (f"{row['seq']:>6}  {in_shanghai(row['at'])}  {row['what']:<8}{row['person']} ({row['role'] or 'no role'})  "
            f"{row['purpose'] or '-'} {row['document']}  {about}  {outcome}  {reviewed}")
