"""A server that speaks S3: moto's, which checks signatures and rights; in its own environment.

``python -m hack.testbed.s3`` installs it into the user's cache; repeated, that takes no time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store

from hack.controlplane.programs import cache_folder

from . import environments
from .processes import ROOT, Process, Processes
from .waits import free_port

LOCK = ROOT / "requirements" / "s3.txt"
REGION = "eu-south-1"
_INSTALL_SECONDS = 300.0
# moto finds a service by the scope of a signature; until it is told to, it does not check one.
_NOBODY = (
    "AWS4-HMAC-SHA256 Credential=nobody/20260101/us-east-1/iam/aws4_request, "
    "SignedHeaders=host, Signature=none"
)
_POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%s,"Resource":"*"}]}'
_READ, _ALL = '["s3:ListBucket","s3:GetObject"]', '["s3:*"]'


def install() -> Path:
    """Make the environment from its lock unless it is there; return its folder."""
    folder = cache_folder().parent / "s3"
    environments.make(folder, LOCK, _INSTALL_SECONDS)
    return folder


class S3:
    """One server, on loopback or at ``host``. ``owner`` may do all, ``reader`` list and read."""

    def __init__(self, processes: Processes, host: str = "127.0.0.1") -> None:
        self.url = f"http://{host}:{free_port()}"
        self._processes = processes
        self.owner: Mapping[str, str] = {}
        self.reader: Mapping[str, str] = {}

    def start(self) -> Process:
        """Return when it serves and asks for signatures."""
        program = install() / "bin" / "moto_server"
        _, _, address = self.url.rpartition("/")
        host, _, port = address.partition(":")
        process = self._processes.start("s3", [program, "-H", host, "-p", port])
        process.wait_ready(self._serves, 60)
        self.owner, self.reader = self._user("owner", _ALL), self._user("reader", _READ)
        self._post("/moto-api/reset-auth", content=b"0")
        return process

    def store(self, bucket: str, keys: Mapping[str, str]) -> S3Store:
        """Return the bucket as one who has these keys sees it."""
        return S3Store(
            bucket,
            config={name.lower(): value for name, value in keys.items()},  # type: ignore[arg-type]
            client_options={"allow_http": True, "timeout": timedelta(seconds=60)},
        )

    def make(self, bucket: str, files: Mapping[str, bytes]) -> None:
        """Make a bucket with these objects."""
        self._post("/moto-api/reset-auth", content=b"inf")
        headers = {"Authorization": _NOBODY.replace("/iam/", "/s3/")}
        place = f"<LocationConstraint>{REGION}</LocationConstraint>"
        with self._client() as client:
            client.put(
                f"/{bucket}",
                headers=headers,
                content=f"<CreateBucketConfiguration>{place}</CreateBucketConfiguration>",
            ).raise_for_status()
        self._post("/moto-api/reset-auth", content=b"0")
        store = self.store(bucket, self.owner)
        for name, content in files.items():
            obstore.put(store, name, content)

    def _user(self, name: str, rights: str) -> dict[str, str]:
        self._iam(Action="CreateUser", UserName=name)
        self._iam(
            Action="PutUserPolicy",
            UserName=name,
            PolicyName=name,
            PolicyDocument=_POLICY % rights,
        )
        said = self._iam(Action="CreateAccessKey", UserName=name)
        found = dict(re.findall(r"<(AccessKeyId|SecretAccessKey)>([^<]+)<", said))
        return {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
        }

    def _iam(self, **form: str) -> str:
        headers = {"Authorization": _NOBODY}
        return self._post("/", data={**form, "Version": "2010-05-08"}, headers=headers)

    def _post(self, path: str, **more: object) -> str:
        with self._client() as client:
            answer = client.post(path, **more)  # type: ignore[arg-type]
            answer.raise_for_status()
            return answer.text

    def _serves(self) -> bool:
        try:
            with self._client() as client:
                return client.get("/moto-api/data.json").is_success
        except httpx.HTTPError:
            return False

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False)


if __name__ == "__main__":
    install()
