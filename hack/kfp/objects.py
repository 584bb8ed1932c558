"""What the backend keeps at the API server, and its own configuration: pure, as dictionaries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from . import mariadb

NAMESPACE = "kubeflow"
RUNNER = "pipeline-runner"  # who runs' Pods are
BUCKET = "mlpipeline"
_KEYS = "mlpipeline-minio-artifact"  # a name that the launcher knows
Manifest = dict[str, Any]


def manifests(
    address: str, s3_port: int, mlmd_port: int, keys: Mapping[str, str]
) -> list[Manifest]:
    """Objects of the namespace ``kubeflow``: ``address`` is where all servers listen.

    ``keys``: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the owner of ``BUCKET``.
    """
    subject = {"kind": "ServiceAccount", "name": RUNNER, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": RUNNER}
    return [
        _object("ServiceAccount", RUNNER),
        _object("RoleBinding", RUNNER, group="rbac.authorization.k8s.io/v1")
        | {"roleRef": role, "subjects": [subject]},
        secret(
            _KEYS,
            {"accesskey": keys["AWS_ACCESS_KEY_ID"], "secretkey": keys["AWS_SECRET_ACCESS_KEY"]},
        ),
        # Addresses, because there is no name server.
        _settings(
            "metadata-grpc-configmap",
            METADATA_GRPC_SERVICE_HOST=address,
            METADATA_GRPC_SERVICE_PORT=str(mlmd_port),
        ),
        _settings("kfp-launcher", defaultPipelineRoot=f"minio://{BUCKET}/v2/artifacts"),
        _settings(
            "workflow-controller-configmap",
            instanceID="",
            artifactRepository=json.dumps(_repository(f"{address}:{s3_port}")),
            executor=json.dumps({"imagePullPolicy": "IfNotPresent"}),
        ),
        *_service("ml-pipeline", address, grpc=(8887, 8887), http=(8888, 8888)),
        *_service("minio-service", address, http=(9000, s3_port)),
        *_service("metadata-grpc-service", address, grpc=(8080, mlmd_port)),
    ]


def secret(name: str, values: Mapping[str, str]) -> Manifest:
    """A Secret of the namespace."""
    return _object("Secret", name) | {"stringData": dict(values)}


def configuration(address: str, s3_port: int, region: str, keys: Mapping[str, str]) -> Manifest:
    """``config.json`` of KFP's API server."""
    database = {
        "User": mariadb.USER,
        "Password": mariadb.PASSWORD,
        "Host": "127.0.0.1",
        "Port": str(mariadb.PORT),
        "DBName": "mlpipeline",
        "GroupConcatMaxLen": "4194304",
        "DataSourceName": "",
    }
    store = {
        "AccessKey": keys["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
        "BucketName": BUCKET,
        "PipelinePath": "pipelines",
        "Host": address,
        "Port": str(s3_port),
        "Region": region,
        "Secure": False,
    }
    return {
        "DBConfig": {"MySQLConfig": database, "ConMaxLifeTime": "120s"},
        "DBDriverName": "mysql",
        "ObjectStoreConfig": store,
        "ARCHIVE_CONFIG_LOG_FILE_NAME": "main.log",
        "ARCHIVE_CONFIG_LOG_PATH_PREFIX": "/artifacts",
        "InitConnectionTimeout": "1m",
        "DEFAULTPIPELINERUNNERSERVICEACCOUNT": RUNNER,
        "CacheEnabled": "true",
        "CRON_SCHEDULE_TIMEZONE": "UTC",
    }


def _repository(endpoint: str) -> Manifest:
    """Where Argo keeps what it archives."""
    return {
        "archiveLogs": True,
        "s3": {
            "endpoint": endpoint,
            "bucket": BUCKET,
            "insecure": True,
            "keyFormat": "artifacts/{{workflow.name}}/{{pod.name}}",
            "accessKeySecret": {"name": _KEYS, "key": "accesskey"},
            "secretKeySecret": {"name": _KEYS, "key": "secretkey"},
        },
    }


def _service(name: str, address: str, **ports: tuple[int, int]) -> Iterator[Manifest]:
    """A Service whose ``ports`` lead to servers outside of Pods, at ``address``.

    ``ports``: by name, the Service's and the server's.
    """
    outer = [{"name": port, "port": outside} for port, (outside, _) in ports.items()]
    yield _object("Service", name) | {"spec": {"ports": outer}}
    slice_ = _object("EndpointSlice", f"{name}-1", group="discovery.k8s.io/v1")
    slice_["metadata"]["labels"] = {"kubernetes.io/service-name": name}
    inner = [
        {"name": port, "port": inside, "protocol": "TCP"} for port, (_, inside) in ports.items()
    ]
    yield slice_ | {
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address]}],
        "ports": inner,
    }


def _settings(name: str, **data: str) -> Manifest:
    return _object("ConfigMap", name) | {"data": data}


def _object(kind: str, name: str, group: str = "v1") -> Manifest:
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
    }
