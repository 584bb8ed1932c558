"""MariaDB for the backend, from unpacked packages: a server in a folder, for one user."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hack.node.node import Node
from hack.testbed.processes import Process

USER = PASSWORD = "kfp"  # nothing outside the node's network reaches it
PORT = 3306
_SECONDS = 120.0
_RIGHTS = (
    f"create user if not exists '{USER}'@'%' identified by '{PASSWORD}';"
    f" grant all on *.* to '{USER}'@'%'"
)


def start(root: Path, folder: Path, node: Node) -> Process:
    """Make the database in ``folder`` and start the server of ``root``; return when it serves."""
    folder.mkdir(parents=True)
    usr = root / "usr"
    libraries = {"LD_LIBRARY_PATH": str(usr / "lib/x86_64-linux-gnu")}
    common = ["--no-defaults", "--user=root", f"--basedir={usr}", f"--datadir={folder / 'data'}"]
    install = [str(usr / "bin/mariadb-install-db"), *common, "--skip-test-db"]
    made = subprocess.run(
        [*install, "--auth-root-authentication-method=normal"],
        env={"PATH": f"{usr / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"} | libraries,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if made.returncode != 0:
        raise RuntimeError(f"MariaDB makes no database: {made.stdout}{made.stderr}")
    server = node.run(
        "mariadb", usr / "sbin/mariadbd", *common, "--bind-address=127.0.0.1", f"--port={PORT}",
        f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}",
        f"--lc-messages-dir={usr / 'share/mysql'}", f"--plugin-dir={usr / 'lib/mysql/plugin'}",
        "--innodb-flush-log-at-trx-commit=0",  # a testbed need not outlive the machine
        **libraries,
    )  # fmt: skip
    client = [
        str(usr / "bin/mariadb"), "--no-defaults", "-uroot", "-S", str(folder / "socket"),
    ]  # fmt: skip

    def prepared() -> bool:
        asked = subprocess.run(
            [*client, "-e", _RIGHTS], env=libraries, capture_output=True, check=False, timeout=30
        )
        return asked.returncode == 0

    server.wait_ready(prepared, _SECONDS)
    return server
