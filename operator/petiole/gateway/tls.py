"""TLS towards the broker, with the gateway's own certificate."""

from __future__ import annotations

import ssl

from .settings import Settings


def context(settings: Settings) -> ssl.SSLContext | None:
    """Return what to connect with; None without TLS. The files are read anew, they are renewed.

    OSError names the files when they are missing or do not fit.
    """
    if settings.mqtt_tls_ca is None:
        return None
    files = [settings.mqtt_tls_ca, settings.mqtt_tls_cert, settings.mqtt_tls_key]
    try:
        made = ssl.create_default_context(cafile=files[0])
        if files[1] is not None:
            made.load_cert_chain(files[1], files[2])
    except OSError as error:
        names = ", ".join(str(f) for f in files if f is not None)
        raise OSError(f"TLS needs PEM files that fit each other, {names}: {error}") from error
    return made
