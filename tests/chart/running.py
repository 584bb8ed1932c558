"""The chart's Pods as processes of this machine: their own arguments, variables, files and rights.

There is no kubelet. What one would do is done here: Secrets, ConfigMaps and claims become folders,
variables are resolved, addresses are those of loopback, and a Pod with a ServiceAccount asks the
API server with a token of it.
"""

import getpass
import os
import re
import sys

import yaml

from hack.testbed.waits import free_port

from .chart import NAMESPACE, find

ENTRYPOINTS = {
    "operator": ["python", "-m", "petiole.cli.main", "operator"],
    "gateway": ["python", "-m", "petiole.cli.main", "gateway"],
}


class Installation:
    """``secrets``: {Secret: {key: bytes}}. The release's name is petiole."""

    def __init__(self, objects, secrets, folder, cluster, processes):
        self.objects, self.folder, self.cluster = objects, folder, cluster
        self._processes = processes
        self.ports = {number: free_port() for number in (8080, 8081, 8883, 8884)}
        for name, values in secrets.items():
            self.give_secret(name, values)

    def apply_rights(self):
        """Apply ServiceAccounts, roles, bindings and the Lease: nothing else of the chart."""
        kinds = "ServiceAccount|(Cluster)?Role(Binding)?|Lease"
        rights = [o for o in self.objects if re.fullmatch(kinds, o["kind"])]
        self.cluster.apply(*rights)

    def give_secret(self, name, values):
        """Make or replace what a Secret's volume shows; the mounted folder stays the same."""
        where = self.folder / "secrets" / name
        where.mkdir(parents=True, exist_ok=True)
        for key, value in values.items():
            (where / f".{key}.new").write_bytes(value)
            (where / f".{key}.new").replace(where / key)

    def url(self, port):
        return f"http://127.0.0.1:{self.ports[port]}"

    def start(self, part, *words, **more):
        """Start the container of a Deployment: operator, gateway, or one of the broker's."""
        own = part in ("operator", "gateway")
        deployment = f"petiole-{part}" if own else "petiole-broker"
        return self.run(find(self.objects, "Deployment", deployment), part, *words, **more)

    def run(self, body, part, *words, **more):
        """Start one container of an object that makes Pods, with more arguments and variables."""
        spec = body["spec"] if body["kind"] == "Pod" else body["spec"]["template"]["spec"]
        listed = [*spec.get("initContainers", ()), *spec["containers"]]
        container = next(c for c in listed if c["name"] == part)
        given = [
            *container.get("command", ENTRYPOINTS.get(part)),
            *container.get("args", ()),
            *words,
        ]
        folders = self._folders(body["metadata"]["name"], spec, container)
        environment = {e["name"]: self._value(e, folders) for e in container.get("env", ())}
        path = f"{os.environ.get('PATH', '')}:/usr/sbin"
        environment |= {"PYTHONPATH": ":".join(sys.path), "PATH": path} | more
        if spec.get("automountServiceAccountToken", True):
            environment["KUBECONFIG"] = str(self.kubeconfig(spec["serviceAccountName"]))
        command = [sys.executable if w == "python" else self._here(w, folders) for w in given]
        return self._processes.start(part, command, environment=environment)

    def kubeconfig(self, account):
        """Return a file with a token of the ServiceAccount, and nothing else."""
        file = self.folder / f"{account}.kubeconfig"
        token = self.cluster.kubectl("create", "token", account, "-n", NAMESPACE).strip()
        content = yaml.safe_load(self.cluster.kubeconfig.read_text())
        content["users"][0]["user"] = {"token": token}
        file.write_text(yaml.safe_dump(content))
        return file

    def local(self, text):
        """Put the addresses of this machine in the place of the cluster's."""
        text = re.sub(r"^(listener \d+)$", r"\1 127.0.0.1", text, flags=re.MULTILINE)
        # Mosquitto that is started as root becomes somebody who may not read these folders.
        text = text.replace("log_dest stderr", f"user {getpass.getuser()}\nlog_dest stderr")
        text = re.sub(r"petiole-(operator|gateway):(\d+)", r"127.0.0.1:\2", text)
        text = text.replace("petiole-broker-gateways", "localhost").replace("0.0.0.0", "127.0.0.1")
        for number, here in self.ports.items():
            text = re.sub(rf"\b{number}\b", str(here), text)
        return text

    def _value(self, entry, folders):
        if "value" in entry:
            value = re.sub(r"\$\(POD_IP\)", "127.0.0.1", entry["value"])
            return self._here(value, folders)
        source = entry["valueFrom"]
        if "fieldRef" in source:
            return "127.0.0.1"
        ref = source["secretKeyRef"]
        return (self.folder / "secrets" / ref["name"] / ref["key"]).read_text()

    def _here(self, text, folders):
        mounted = "|".join(map(re.escape, folders))
        found = re.compile(rf"({mounted})(?=/|$)")
        return found.sub(lambda match: str(folders[match[1]]), self.local(text))

    def _folders(self, pod, spec, container):
        """Where each mounted folder is here, the deepest first."""
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        mounts = {
            mount["mountPath"]: self._folder(pod, volumes[mount["name"]])
            for mount in container["volumeMounts"]
        }
        folders = dict(sorted(mounts.items(), key=lambda item: -len(item[0])))
        for folder in folders.values():
            for file in folder.glob("*.template"):
                text = self._here(file.read_text(), folders)
                file.with_suffix("").write_text(text)
        return folders

    def _folder(self, pod, volume):
        if "secret" in volume:
            return self._secret(pod, volume)
        if "configMap" in volume:
            where = self.folder / "config" / volume["configMap"]["name"]
            where.mkdir(parents=True, exist_ok=True)
            data = find(self.objects, "ConfigMap", volume["configMap"]["name"])["data"]
            for name, text in data.items():
                (where / f"{name}.template").write_text(text)
            return where
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        where = self.folder / "claims" / claim if claim else self.folder / pod / volume["name"]
        where.mkdir(parents=True, exist_ok=True)
        return where

    def _secret(self, pod, volume):
        """Return a folder whose files are links to the Secret's, as some items or all."""
        source = self.folder / "secrets" / volume["secret"]["secretName"]
        items = volume["secret"].get("items")
        if items is None:
            return source
        where = self.folder / pod / volume["name"]
        where.mkdir(parents=True, exist_ok=True)
        for item in items:
            if not (where / item["path"]).is_symlink():  # another container may be reading it
                (where / item["path"]).symlink_to(source / item["key"])
        return where
