"""`gateway explain` and `gateway record`: why something left or not, and which record is meant."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.manners import FAILED, USAGE, AsJson, Document, Person, Purpose, complain, opened, usage

if TYPE_CHECKING:
    from gateway.settings import Gateway


def explain(
    record: Annotated[str, typer.Argument(help="The record's id, as `gateway record` gives it.")],
    to: Annotated[str, typer.Option(help="The recipient.")],
    field: Annotated[str | None, typer.Option(help="Only this field.")] = None,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="On which day (default today).")] = None,
    person: Person = "", purpose: Purpose = "", document: Document = "", as_json: AsJson = False,
) -> None:
    """Say what of a record left, or would leave, to a recipient on a day, by which rule, and why the rest did not.

    Shows field names, rules and reasons, never a value. Stands on the ledger with person, role and purpose, refusals too.
    """
    from gateway.explain import Inquiry, NotExplained
    from gateway.explain import explain as answer
    from ledger.editions import EditionUnknown
    from records.blocks import StoreDamaged

    gateway = opened("catalog", "keyring")
    try:
        with _registered(gateway, (person, purpose, document), "explain", {"record": record, "recipient": to}) as shown:
            told = answer(gateway, Inquiry(record, to, on.date() if on else gateway.today, field))
            shown.append(record)
    except NotExplained as error:
        complain(str(error))
        raise typer.Exit(USAGE) from None
    except (EditionUnknown, StoreDamaged) as error:
        complain(str(error))
        raise typer.Exit(FAILED) from None
    typer.echo(json.dumps(told, ensure_ascii=False, indent=1) if as_json else _readable(told))


def record(
    entry: Annotated[str, typer.Argument(help="The catalogue entry.")], person: Person = "", purpose: Purpose = "", document: Document = "",
) -> None:
    """Give the id of a record from its key, which is asked for field by field: nothing of it stays in the shell's history.

    Stands on the ledger with person, role and purpose, refusals too.
    """
    import pandas as pd

    from ledger.holdings import TEXT
    from records.identity import record_ids

    gateway = opened("catalog", "keyring")
    usage([entry] if entry not in gateway.catalog.entries else [], f"unknown entry; known are {', '.join(sorted(gateway.catalog.entries))}")
    known = gateway.catalog.entries[entry]
    titles = {code: known.fields[code].title for code in known.natural_key}
    try:
        row = {code: typer.prompt(f"{title.zh} {title.en} ({code})", err=True) for code, title in titles.items()}
    except typer.Abort:  # standard input ended, or somebody broke off
        complain("\nthe key was not given whole, nothing was looked up 未输入完整，未查询; answer each question")
        raise typer.Exit(USAGE) from None
    frame = pd.DataFrame({code: pd.Series([value.strip()], dtype=TEXT) for code, value in row.items()})
    name = str(record_ids(frame, entry, known.natural_key, gateway.keyring.derive("identity", entry))[0])
    with _registered(gateway, (person, purpose, document), "record", {"record": name, "entry": entry}) as shown:
        shown += [name] * _is_known(gateway, name)
    typer.echo(name)
    if not shown:
        complain("the store has no record of this key; look at its spelling")
        raise typer.Exit(FAILED)


@contextmanager
def _registered(gateway: Gateway, by: tuple[str, str, str], what: str, about: Mapping[str, str]) -> Iterator[list[str]]:
    """Puts the look-up on the ledger first, and at the end how many records were shown; ends the command if it is refused."""
    from gateway.lookups import Asker, Refused, answered, look_up

    try:
        seq = look_up(gateway, Asker(*by), what, about)
    except Refused as error:
        complain(str(error))
        raise typer.Exit(FAILED) from None
    shown: list[str] = []
    try:
        yield shown
    finally:
        answered(gateway, seq, len(shown))


def _is_known(gateway: Gateway, name: str) -> bool:
    with gateway.engine.connect() as connection:
        try:
            gateway.store.entry_of(connection, name)
        except KeyError:
            return False
    return True


def _readable(told: dict[str, Any]) -> str:
    from console.words import wording
    from gateway.settings import in_shanghai

    said = wording(told["reason"])
    decision = "可以提供 leaves" if told["leaves"] else f"不予提供 withheld: {told['reason']}（{said.zh} {said.en}）"
    lines = [
        f"记录 record {told['record']}　接收方 recipient {told['recipient']}　日期 day {told['on']}",
        f"事项 entry {told['title']['zh']} {told['title']['en']} ({told['entry']})，版本 version {told['version']}，"
        f"目录 edition {told['edition']}",
        f"结论 decision: {decision}"]
    lines += [f"  下一步 next: {said.next_zh} {said.next_en}"] if said.next_zh and not told["leaves"] else []
    lines += [f"事项依据 basis of the entry: {_citation(basis)}" for basis in told["basis_of_the_entry"]]
    lines += [f"提供依据 basis of the grant: {_citation(basis)}" for basis in told["basis_of_the_grant"]]
    if told["period"]:
        period = told["period"]
        lines.append(f"公示期限 period: 规则 rule {period['rule']}，程度 grade {period['grade']}，"
                     f"最短至 at least until {period['earliest']}，最长至 at most until {period['latest']}")
    if told["condition"]:
        condition = told["condition"]
        lines.append(f"条件 condition: {condition['purpose']['zh']} {condition['purpose']['en']}，{condition['application']}，"
                     f"{condition['approved_on']} – {condition['until']}")
    lines += [f"  {field['field']:<22}{_OUTCOMES[field['outcome']]:<26}{'脱敏 mask ' + field['mask'] if field['mask'] else ''}  "
              f"{field['title']['zh']} {field['title']['en']}" for field in told["fields"]]
    lines += [f"账 account: {in_shanghai(each['at'])} {each['effect']} {each['state']}，批次 batch {each['batch'][:12]}，"
              f"目录 edition {each['edition']}" for each in told["account"]] or ["账 account: 未向其提供过 never given to it"]
    return "\n".join(lines)


_OUTCOMES = {"permitted": "提供 permitted", "withheld": "本记录不提供 withheld", "refused": "不予共享/公示 refused", "gap": "未授权 gap"}


def _citation(basis: dict[str, Any]) -> str:
    since, until = basis["in_force"]
    says = f"：{basis['says']['zh']} {basis['says']['en']}" if basis["says"] else ""
    return f"《{basis['title']['zh']}》{basis['number']} {basis['article']}{says}（{since} – {until or '至今'}）"
