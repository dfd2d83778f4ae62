"""`gateway catalog …`: check it, compare two of them, make its pages, sign it."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.manners import FAILED, USAGE, AsJson, answering, complain, opened

if TYPE_CHECKING:
    from catalog.diff import Change
    from catalog.load import Catalog
    from gateway.settings import Gateway

catalog_app = typer.Typer(no_args_is_help=True, help="The catalogue: what may be recorded, shared and published.")
WIDENS = 6


@catalog_app.command()
def check() -> None:
    """Check the whole catalogue; every problem is named with its file and key. What ought to be looked at is a warning."""
    from catalog.check import problems_on, warnings_of
    from gateway.settings import from_environment

    with answering():
        gateway = from_environment()
        catalog = gateway.catalog
    for warning in warnings_of(catalog, gateway.today):
        complain(f"warning: {warning}")
    if problems := problems_on(catalog, gateway.today):
        complain("\n".join(problems))
        raise typer.Exit(FAILED)
    typer.echo(f"catalogue {catalog.edition}: {len(catalog.entries)} entries, {len(catalog.departments)} departments, "
               f"{len(catalog.feeds)} feeds, {len(catalog.recipients)} recipients, {len(catalog.instruments)} instruments: good")


@catalog_app.command()
def docs(
    folder: Annotated[Path, typer.Argument(help="Where the pages go.")] = Path("docs/catalogue"),
) -> None:
    """Write the catalogue's pages in Chinese and English. Pages of entries that are gone are removed."""
    from catalog.docs import pages
    from gateway.settings import from_environment

    with answering():
        made = pages(from_environment().catalog)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (folder / name).write_text(text, encoding="utf-8")
        for stray in sorted(set(folder.glob("*.md")) - {folder / name for name in made}):
            stray.unlink()
    typer.echo(f"{len(made)} pages in {folder}")


@catalog_app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A catalogue folder, or a git revision.")],
    new: Annotated[str, typer.Argument(help="The one that is to take its place.")],
    effects: Annotated[bool, typer.Option("--effects", help="Count what would start, stop or be withdrawn per recipient.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what a change of the catalogue does: widens disclosure, breaks a source, narrows, or only rewords.

    Ends with 0 if nothing widens disclosure, 6 if something does, so that CI can ask for a second signature.
    """
    from catalog.diff import diff as compare
    from catalog.diff import widens

    with _catalogue(old) as before, _catalogue(new) as after:
        changes = compare(before, after)
        counted = _effects(opened("keyring"), before, after) if effects else []
    if as_json:
        typer.echo(json.dumps({"changes": [change.as_json() for change in changes], "effects": counted}, ensure_ascii=False, indent=1))
    else:
        typer.echo("\n".join([*map(_line, changes), *map(_counted, counted)]) or "nothing differs in meaning")
    raise typer.Exit(WIDENS if widens(changes) else 0)


@catalog_app.command()
def sign(
    key: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The signer's private key, from `gateway catalog keygen`.")],
    previous: Annotated[str | None, typer.Option(help="Digest of the edition it follows (default: the one that decided last).")] = None,
) -> None:
    """Sign the catalogue as it lies there. One that widens disclosure needs the signatures of two persons."""
    from catalog.load import load
    from gateway import signing

    gateway = opened()
    with answering():
        catalog = load(gateway.catalog_root)
        follows = signing.last_edition(catalog, gateway.engine) if previous is None else previous
        signer = signing.signer_of(key, gateway.compliance_keys)
        signatures, is_wider = signing.sign(catalog, signer, follows, gateway.engine)
    wanted = "two persons, since it widens disclosure" if is_wider else "one person"
    typer.echo(f"catalogue {catalog.digest}: signed by {signer.key_id}; {signatures} signature(s), it needs {wanted}")


@catalog_app.command()
def keygen(file: Annotated[Path, typer.Argument(help="Where the private key goes, mode 0600.")]) -> None:
    """Make a key of a compliance officer and print what has to be registered of it."""
    from gateway.signing import make_key

    try:
        public = make_key(file)
    except FileExistsError:
        complain(f"{file}: is there already; a key is not overwritten")
        raise typer.Exit(USAGE) from None
    except OSError as error:
        complain(f"{file}: {error.strerror}; name another place")
        raise typer.Exit(USAGE) from None
    typer.echo(f"register in secrets/compliance_keys.yml:\n{file.stem}: {{public_key: {public}, person: …}}")


def _line(change: Change) -> str:
    moved = f"{change.old or '—'} → {change.new or '—'}"
    return f"{change.effect}: {change.file}: {change.key or 'the whole file'}: {moved}"


def _counted(row: dict[str, Any]) -> str:
    return (f"effect: {row['recipient']}, {row['entry']}: records withdrawn={row['withdrawn']}; records × fields "
            f"start={row['start']} stop={row['stop']}")


def _effects(gateway: Gateway, before: Catalog, after: Catalog) -> list[dict[str, Any]]:
    """Per recipient and entry, in records × fields: what would start and stop; in records, what would be withdrawn."""
    from ledger.holdings import count

    with gateway.engine.connect() as connection:
        rows: list[dict[str, Any]] = count(connection).to_dict("records")  # type: ignore[assignment]
        held = {(row["recipient"], row["entry"]): int(row["records"]) for row in rows}
        known = {entry: len(gateway.store.records_of(connection, entry)) for entry in {*before.entries, *after.entries}}
    found = []
    for entry in sorted({*before.entries, *after.entries}):
        grants = [dict(catalog.entries[entry].grants) if entry in catalog.entries else {} for catalog in (before, after)]
        for recipient in sorted({*grants[0], *grants[1]}):
            was, will = (set(grant[recipient].fields) if recipient in grant else set[str]() for grant in grants)
            holds = held.get((recipient, entry), 0)
            row = {"recipient": recipient, "entry": entry, "start": len(will - was) * (holds or known[entry]),
                   "stop": len(was - will) * holds, "withdrawn": 0 if will else holds}
            if row["start"] or row["stop"] or row["withdrawn"]:
                found.append(row)
    return found


@contextmanager
def _catalogue(place: str) -> Iterator[Catalog]:
    """The catalogue of a folder, or of a git revision of the project that holds the catalogue now in use."""
    from catalog.load import CatalogError, read

    with tempfile.TemporaryDirectory() as folder:
        root = Path(place) if Path(place).is_dir() else _checked_out(place, Path(folder))
        try:
            yield read(root)
        except CatalogError as error:
            complain(f"{place}: cannot be read as a catalogue of today's format\n{error}")
            raise typer.Exit(USAGE) from None


def _checked_out(revision: str, folder: Path) -> Path:
    import catalog
    from gateway.settings import from_environment

    with answering():
        root = (from_environment().catalog_root or Path(catalog.__file__).parent).resolve()
    packed = subprocess.run(["git", "-C", str(root), "archive", "--format=tar", revision, "."], capture_output=True, check=False)
    if packed.returncode:
        complain(f"{revision}: neither a folder nor a git revision of {root}")
        raise typer.Exit(USAGE)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder
