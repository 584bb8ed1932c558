"""Mosquitto without Docker: Debian's own, with the libraries that it is linked with."""

from __future__ import annotations

from collections.abc import Callable

from hack.controlplane.programs import cache_folder
from hack.debian import unpack

from .oci import Image, pack

NAME = "localhost/mosquitto:2.0.11"  # Debian 12 has this one
_PACKAGES = (
    "libc6",
    "libcap2",
    "libcjson1",
    "libcom-err2",
    "libdlt2",
    "libgcrypt20",
    "libgpg-error0",
    "libgssapi-krb5-2",
    "libk5crypto3",
    "libkeyutils1",
    "libkrb5-3",
    "libkrb5support0",
    "liblz4-1",
    "liblzma5",
    "libnsl2",
    "libssl3",
    "libsystemd0",
    "libtirpc3",
    "libwrap0",
    "libzstd1",
    "mosquitto",
)


def mosquitto(say: Callable[[str], None]) -> Image:
    """The broker, as the user that the chart gives it. Raises ``BuildError``."""
    cache = cache_folder().parent / "images"
    root = unpack(_PACKAGES, cache / "mosquitto", say)
    layer = pack(root, cache / "mosquitto.tar")
    return Image(NAME, (layer,), ("/usr/sbin/mosquitto",), user="1883")
