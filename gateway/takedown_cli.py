"""`gateway takedown …`: take a record back from everybody, see who has confirmed, lift it again."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.manners import DEFECT, FAILED, USAGE, AsJson, Person, Purpose, complain, not_blank, opened
from gateway.manners import Document as Asked
from gateway.night_cli import again_lines, decided

if TYPE_CHECKING:
    from gateway.effects import Effects
    from gateway.settings import Gateway

takedown_app = typer.Typer(no_args_is_help=True, help="Take records back from everybody who ever got them, and prove it.")


_STATES = {"outstanding": "未确认 outstanding", "confirmed": "已确认 confirmed", "verified": "已核实 verified",
           "visible": "网页仍可见 visible", "nobody": "未曾提供 nobody ever got it"}


class Reason(StrEnum):
    REPAIR = "repair"
    OBJECTION = "objection"
    CORRECTION = "correction"
    REVOCATION = "revocation"


Records = Annotated[list[str], typer.Argument(help="Record ids, as `gateway record` gives them.")]
Record = Annotated[str, typer.Argument(help="Record id.")]
By = Annotated[str, typer.Option(callback=not_blank, help="Who orders it: a person's name or staff number.")]
Document = Annotated[str, typer.Option(callback=not_blank, help="Number of the document it rests on.")]
Why = Annotated[Reason, typer.Option()]
How = Annotated[list[str] | None, typer.Option("--effect", help=(
    "stop_sharing, mark, block or delete; everywhere, or KIND=EFFECT for one kind of recipient: sharing_platform, publicity_site, "
    "department; again for more (default: by reason and kind)."))]
Days = Annotated[int, typer.Option(min=0, help="Working days in which everybody must have confirmed.")]


@takedown_app.command("open")
def open_(records: Records, reason: Why, document: Document, by: By, effect: How = None, days: Days = 3) -> None:
    """Take records back now from everybody who got them; no night, backfill or restore brings them out again."""
    from gateway.takedown import NoTakedown, Order, open_takedown
    from records.stages import Notice

    order = Order(Notice(reason), document, by, _effects(effect), days)
    gateway = opened("catalog", "keyring")
    try:
        entries = open_takedown(gateway, records, order)
    except NoTakedown as error:
        _refuse(error)
    _act(gateway, entries)


@takedown_app.command()
def change(record: Record, reason: Why, document: Document, by: By, effect: How = None, days: Days = 3) -> None:
    """Give an open takedown another reason, document, effect and deadline; the record is off the list at no moment."""
    from gateway.takedown import NoTakedown, Order
    from gateway.takedown import change as follow
    from records.stages import Notice

    order = Order(Notice(reason), document, by, _effects(effect), days)
    gateway = opened("catalog", "keyring")
    try:
        entry = follow(gateway, record, order)
    except NoTakedown as error:
        _refuse(error)
    _act(gateway, [entry])


@takedown_app.command()
def lift(record: Record, document: Document, by: By) -> None:
    """End a takedown: the objection was settled, or the decision reversed. The record goes where it may go."""
    from gateway.takedown import NoTakedown
    from gateway.takedown import lift as end

    gateway = opened("catalog", "keyring")
    try:
        entry = end(gateway, record, document, by)
    except NoTakedown as error:
        _refuse(error)
    figures, troubled, broken = decided(gateway, [entry], complain)
    typer.echo(again_lines(figures))
    raise typer.Exit(DEFECT if broken else FAILED if troubled else 0)


@takedown_app.command()
def erase(record: Record, document: Document, by: By) -> None:
    """Destroy the content of a record that everybody has given back, for good; its takedown can never be lifted again."""
    from gateway.erasing import NotErased
    from gateway.erasing import erase as destroy
    from gateway.takedown import NoTakedown

    gateway = opened("catalog", "keyring")
    try:
        versions = destroy(gateway, record, document, by)
    except (NoTakedown, NotErased) as error:
        _refuse(error)
    typer.echo(f"erased 已删除: {versions} versions 个版本")


@takedown_app.command()
def status(as_json: AsJson = False) -> None:
    """List the open takedowns, and per recipient whether it has confirmed."""
    _show(opened("catalog", "keyring"), False, as_json)


@takedown_app.command()
def overdue(as_json: AsJson = False) -> None:
    """List the recipients that have not confirmed by the deadline, and put each on the ledger once. Ends with 3 if there is one."""
    from gateway.takedown import escalate

    gateway = opened("catalog", "keyring")
    escalate(gateway)
    if _show(gateway, True, as_json):
        raise typer.Exit(FAILED)


@takedown_app.command()
def identify(record: Record, person: Person = "", purpose: Purpose = "", document: Asked = "") -> None:
    """Show by what a recipient's clerks know a record that not all have taken back; the look-up stands on the ledger."""
    from gateway.lookups import Refused
    from gateway.suppressed import NoIdentifiers, look_up_opened

    gateway = opened("catalog", "keyring")
    try:
        entry, said = look_up_opened(gateway, record, (person, purpose, document))
    except (NoIdentifiers, Refused) as error:
        complain(str(error))
        raise typer.Exit(USAGE if isinstance(error, NoIdentifiers) else FAILED) from None
    fields = gateway.catalog.entries[entry].fields
    for name, value in said.items():
        typer.echo(f"{fields[name].title.zh} {fields[name].title.en}：{value}" if name in fields else f"{name}：{value}")


@takedown_app.command()
def expired() -> None:
    """Ask the sites now for what is past its last day of publicity."""
    from gateway import expiry

    gateway = opened("catalog", "keyring")
    entries = expiry.entries(gateway)
    for entry in entries:
        expiry.expire(gateway, entry)
    _act(gateway, entries, "nothing is past its last day 没有公示期满的记录")


@takedown_app.command()
def probe() -> None:
    """Read the public pages of the sites that confirmed a takedown. Ends with 3 if one still shows a record or cannot be read."""
    from gateway.probe import probe as read_pages

    troubles = read_pages(opened("catalog", "keyring"))
    for words in troubles:
        complain(words)
    raise typer.Exit(FAILED if troubles else 0)


@takedown_app.command()
def times(as_json: AsJson = False) -> None:
    """Show how many hours each recipient took to confirm: of half, of 95 and of 99 in a hundred takedowns."""
    from gateway.takedown import clear_times

    rows: list[dict[str, Any]] = clear_times(opened("catalog", "keyring")).to_dict("records")  # type: ignore[assignment]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        typer.echo(f"{row['recipient']:<24}{row['records']:>8} records 条  "
                   + "  ".join(f"{name} {row[name]:.2f} h" for name in ("p50", "p95", "p99")))
    typer.echo(f"{len(rows)} recipients have confirmed takedowns 接收方已确认撤回")


def _show(gateway: Gateway, only_overdue: bool, as_json: bool) -> list[dict[str, Any]]:
    from console.words import both
    from gateway.settings import in_shanghai
    from gateway.takedown import status as standing

    rows = [row for row in standing(gateway, gateway.today) if row["overdue"] or not only_overdue]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return rows
    for row in rows:
        known = gateway.catalog.recipients.get(row["recipient"])
        contact = known.contact if known else "?"
        late = f"，已逾期 overdue since {row['deadline']}，请联系 call {contact}" if row["overdue"] else ""
        # It gave the record back before the order was changed, and has nothing left to act on.
        differs = row["told"] not in ("", row["reason"])
        told = f"，告知接收方的原因 the reason it was told: {both('notice.' + row['told'])}" if differs else ""
        what = f"{row['record']}  {row['entry']}  {row['reason']} {row['document']}  {row['recipient'] or '-':<20}"
        effect = f"{both('effect.' + row['effect'])} · " if row["effect"] else ""
        typer.echo(f"{what} {effect}{_STATES.get(row['state'], row['state'])} {in_shanghai(row['at'])}{told}{late}")
    typer.echo(f"{len(rows)} overdue 逾期未确认" if only_overdue else _counted(rows))
    return rows


def _counted(rows: list[dict[str, Any]]) -> str:
    """How many takedowns stand open, and how often somebody has still to confirm; not how many lines there are."""
    ordered = {(row["entry"], row["record"]) for row in rows if row["document"]}
    waits = sum(row["state"] in ("outstanding", "visible") for row in rows)
    return f"{len(ordered)} takedowns open 在办撤回, {waits} not confirmed 未确认"


def _effects(said: list[str] | None) -> Effects:
    from catalog.model import RecipientKind
    from gateway.effects import read

    text = " ".join(each if "=" in each else " ".join(f"{kind}={each}" for kind in RecipientKind) for each in said or [])
    try:
        return read(text)
    except ValueError as error:
        complain(f"--effect: 处理方式或接收方类别有误；请按 gateway takedown open --help 书写。 {error}; write it as --help shows")
        raise typer.Exit(USAGE) from None


def _act(gateway: Gateway, entries: list[str], nobody: str = "nobody ever got it 未曾提供给任何接收方") -> None:
    """Asks everybody now, on the short road, and tells who has confirmed."""
    from gateway.night import NightBroken, take_back_all

    told: list[str] = []

    def tell(words: str) -> None:
        told.append(words)
        complain(words)

    try:
        figures = take_back_all(gateway, entries, tell)
    except NightBroken as error:
        complain(str(error))
        raise typer.Exit(DEFECT) from None
    for recipient, each in figures.items():
        typer.echo(f"taken back 已撤回: {recipient:<20} confirmed={each['withdrawn']} outstanding={each['outstanding']}")
    if not figures and not told:
        typer.echo(nobody)
    raise typer.Exit(FAILED if told or any(each["outstanding"] for each in figures.values()) else 0)


def _refuse(error: Exception) -> None:
    complain(str(error))
    raise typer.Exit(USAGE) from None
