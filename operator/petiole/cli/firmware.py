"""``petiole firmware``: bundles of firmware for a fleet's boards, built, signed and looked at."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.table import Table

from petiole.artifact import bundle as bundles
from petiole.artifact import firmware, sbom
from petiole.artifact.bundle import Bundle, BundleImage, Linked
from petiole.artifact.keys import BadKeyError, load_private, load_public
from petiole.artifact.policy import ArtifactError

from .settings import console, fail

app = typer.Typer(no_args_is_help=True, help="Build, sign and inspect firmware bundles.")

Out = Annotated[Path, typer.Option("--output", "-o", help="Where the bundle goes.")]
_IMAGE = re.compile(
    r"(?P<target>[^:@=]+):(?P<slot>[ab])(@(?P<address>(0x)?[0-9a-fA-F]+))?=(?P<file>.+)"
)


@app.command()
def build(
    *,
    image: Annotated[
        list[str],
        typer.Option(
            help="BOARD:SLOT=FILE.elf, or BOARD:SLOT@ADDRESS=FILE.bin with the address of the slot "
            "in hex; slot a and slot b of each board."
        ),
    ],
    version: Annotated[str, typer.Option(help="For people, at most 24 characters.")],
    revision: Annotated[int, typer.Option(min=1, max=2**32 - 1, help="Rises with each bundle.")],
    third_party: Annotated[
        Path | None, typer.Option(help="Folder of vendored code; its VERSION files make the SBOM.")
    ] = None,
    output: Out,
) -> None:
    """Make a bundle of what the linker made. It is not signed yet."""
    try:
        linked = [_linked(given) for given in image]
        bom = None if third_party is None else sbom.cyclonedx(version, _vendored(third_party))
        data = bundles.build(linked, version, revision, bom)
    except ArtifactError as error:
        fail(str(error))
    _write(output, data)


@app.command()
def sign(
    file: Annotated[Path, typer.Argument(help="A bundle of `petiole firmware build`.")],
    *,
    key: Annotated[Path, typer.Option(help="Ed25519 private key, PEM.")],
    counter: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Security counter: devices never go below.")
    ],
    output: Out,
) -> None:
    """Sign all images of a bundle. The same key and bundle give the same bytes."""
    try:
        data = bundles.sign(_read(file), load_private(_bytes(key)), counter)
    except BadKeyError as error:
        fail(f"{key}: {error}")
    except ArtifactError as error:
        fail(f"{file}: {error}")
    _write(output, data)


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="A bundle.")],
    *,
    public_key: Annotated[
        list[Path], typer.Option(help="Public key that devices hold, PEM; may be repeated.")
    ] = [],  # noqa: B006 - typer copies it
    sbom: Annotated[bool, typer.Option("--sbom", help="Print the SBOM, CycloneDX JSON.")] = False,
) -> None:
    """Show a bundle's images. With a public key: whether it signed them; exit 1 if it did not."""
    bundle = _read(file)
    if sbom:
        if bundle.sbom is None:
            fail(f"{file} carries no SBOM; build it with --third-party")
        typer.echo(bundle.sbom, nl=False)
        return
    keys = [_public(path) for path in public_key]
    verdicts = {image.file: _verdict(bundle, image, keys) for image in bundle.manifest.images}
    console.print(_table(bundle, verdicts), soft_wrap=True)
    if keys and any(verdict != "good" for verdict in verdicts.values()):
        raise typer.Exit(1)


def _linked(given: str) -> Linked:
    found = _IMAGE.fullmatch(given)
    if found is None:
        fail(f"--image {given!r}: want BOARD:SLOT=FILE.elf or BOARD:SLOT@ADDRESS=FILE.bin", code=2)
    file = Path(found["file"])
    data = _bytes(file)
    if firmware.is_elf(data):
        try:
            start, code = firmware.flatten(data)
        except ArtifactError as error:
            fail(f"{file}: {error}")
        address = start - firmware.HEADER_SIZE
    elif found["address"] is None:
        fail(f"{file} is no ELF file: give its slot's address, BOARD:SLOT@ADDRESS=FILE", code=2)
    else:
        address, code = int(found["address"], 16), data
    if found["address"] is not None and int(found["address"], 16) != address:
        fail(f"{file} is linked for a slot at {address:#x}, not at 0x{found['address']}")
    return Linked(found["target"], "a" if found["slot"] == "a" else "b", address, code)


def _vendored(folder: Path) -> list[dict[str, str]]:
    files = sorted(folder.glob("*/VERSION"))
    if not files:
        fail(f"{folder} has no */VERSION")
    return [sbom.parse_version(file.read_text()) for file in files]


def _verdict(bundle: Bundle, image: BundleImage, keys: list[Ed25519PublicKey]) -> str:
    if not bundle.manifest.signed:
        return "not signed"
    if not keys:
        return "not checked"
    try:
        bundles.verify_image(bundle, image, keys)
    except ArtifactError as error:
        return str(error).removeprefix(f"{image.file}: ")
    return "good"


def _table(bundle: Bundle, verdicts: dict[str, str]) -> Table:
    manifest = bundle.manifest
    table = Table(
        *("target", "slot", "address", "counter", "key hash", "digest", "size", "verdict"),
        title=f"{manifest.version}, revision {manifest.revision}, bundle {bundle.digest[:16]}",
        title_justify="left",
        box=None,
    )
    for image in manifest.images:
        table.add_row(
            image.target,
            image.slot,
            f"{image.address:#x}",
            *_signature(bundle, image),
            image.digest[:16],
            str(image.size),
            verdicts[image.file],
        )
    return table


def _signature(bundle: Bundle, image: BundleImage) -> tuple[str, str]:
    """Security counter and key hash, as far as the image has them."""
    if not bundle.manifest.signed:
        return "-", "-"
    try:
        found = firmware.inspect(bundle.content(image))
    except ArtifactError:
        return "?", "?"
    return str(found.security_counter), found.key_hash[:16]


def _read(file: Path) -> Bundle:
    try:
        return bundles.read(_bytes(file))
    except ArtifactError as error:
        fail(f"{file} is no bundle: {error}")


def _public(file: Path) -> Ed25519PublicKey:
    try:
        return load_public(_bytes(file))
    except BadKeyError as error:
        fail(f"{file}: {error}")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")


def _write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}")
