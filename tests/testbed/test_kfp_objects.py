"""What the backend is told: every server at the address and port where it listens."""

from __future__ import annotations

from typing import Any

from hack.kfp.objects import configuration, manifests

KEYS = {"AWS_ACCESS_KEY_ID": "who", "AWS_SECRET_ACCESS_KEY": "secret"}


def named(kind: str, name: str) -> dict[str, Any]:
    made = manifests("10.99.0.1", 20900, 8080, KEYS)
    (found,) = [m for m in made if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return found


def test_service_leads_to_the_store_wherever_it_listens() -> None:
    slice_ = named("EndpointSlice", "minio-service-1")
    assert slice_["metadata"]["labels"] == {"kubernetes.io/service-name": "minio-service"}
    assert slice_["endpoints"] == [{"addresses": ["10.99.0.1"]}]
    assert slice_["ports"] == [{"name": "http", "port": 20900, "protocol": "TCP"}]
    # The launcher asks at this port, whatever the server's.
    assert named("Service", "minio-service")["spec"]["ports"] == [{"name": "http", "port": 9000}]


def test_server_and_pods_open_the_same_bucket_by_the_same_keys() -> None:
    store = configuration("10.99.0.1", 20900, "here", KEYS)["ObjectStoreConfig"]
    secret = named("Secret", "mlpipeline-minio-artifact")["stringData"]
    assert secret == {"accesskey": store["AccessKey"], "secretkey": store["SecretAccessKey"]}
    launcher = named("ConfigMap", "kfp-launcher")["data"]["defaultPipelineRoot"]
    assert launcher.startswith(f"minio://{store['BucketName']}/")
    assert (store["Host"], store["Port"]) == ("10.99.0.1", "20900")
