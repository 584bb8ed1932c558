"""Who may do what by the chart, and who did it by the audit log.

Processes of a testbed are no Pods. One that stands in for a ServiceAccount of a release is a user
with a name of its own in the audit log, in a group to which the chart's roles are bound in place of
the ServiceAccount: it has the chart's rights, as Helm renders them, and no others. So do people who
stand in for those to whom a cluster gives the roles ``view`` or ``edit``.
"""

from __future__ import annotations

import functools
import itertools
import json
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hack.chart.render import render
from petiole.api.base import GROUP

OPERATOR, CLEAR = "petiole-operator", "petiole-clear"
VIEW, EDIT = PEOPLE = "view", "edit"  # Kubernetes' own roles, to which the chart adds
READS = frozenset({"get", "list", "watch"})
RELEASE = "petiole-system"  # the namespace of an installation by the chart
STAND_IN = "petiole-testbed"  # the namespace of the release that stand-ins belong to
STAND_INS = "petiole:stand-ins"  # all of them, for the audit policy
_AS = "petiole:as:"
_AUTHORIZED = "authorization.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
# Of what a chart may leave out, all that has rights: the hook, and the Job runner.
_VALUES: dict[str, Any] = {
    "gateway": {"broker": {"host": "mqtt.example"}},
    "crds": {"keep": False},
    "runner": {"kind": "job"},
}

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """``account`` is a ServiceAccount or a role of people; ``resource`` may be a subresource,
    ``tinymodels/status``.
    """

    account: str
    group: str
    resource: str
    verb: str

    @property
    def of(self) -> str:
        """What it is about, as kubectl names it: ``tinymodels.petiole.dev/status``."""
        resource, slash, part = self.resource.partition("/")
        return f"{resource}.{self.group}".rstrip(".") + slash + part

    def __str__(self) -> str:
        return f"{self.account}: {self.verb} {self.of}"


@dataclass(frozen=True, slots=True)
class Use:
    """A right that somebody used, or tried to; ``first`` is when (RFC 3339)."""

    right: Right
    namespaced: bool
    allowed: bool
    first: str


# --- what the chart grants ------------------------------------------------------------------------


@functools.cache
def chart(release: str = STAND_IN) -> tuple[Object, ...]:
    """The objects of a release in a namespace of that name, as Helm renders them.

    The release of stand-ins serves all namespaces, any other one its own, and nothing of it is for
    people.
    """
    home = release == STAND_IN
    values = _VALUES | {"namespaces": [] if home else [release], "rbac": {"aggregate": home}}
    with tempfile.TemporaryDirectory() as folder:
        return tuple(render(values, Path(folder), release))


def granted(objects: Sequence[Object]) -> dict[Right, str]:
    """Return the rights of accounts and people, with kind and name of a role that gives each."""
    return {right: f"{role['kind']} {role['metadata']['name']}" for role, right, _ in _all(objects)}


def stand_ins(objects: Sequence[Object], release: str) -> list[Object]:
    """Return the objects to apply: the chart's roles and Lease, the roles bound to groups."""
    made: list[Object] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": release}}]
    for body in objects:
        if body["kind"] in ("Lease", "Role", "ClusterRole"):
            made.append(body)
        elif body["kind"] in _BINDINGS:
            accounts = (subject["name"] for subject in body["subjects"])
            made.append({**body, "subjects": [_subject(name, release) for name in accounts]})
    served = {account for account, _ in _given(objects)}
    return made + [_people(role, release) for role in PEOPLE if role in served]


def _people(role: str, release: str) -> Object:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{release}-{role}"},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [_subject(role, release)],
    }


def _subject(account: str, release: str) -> Object:
    return {"apiGroup": _RBAC, "kind": "Group", "name": group_of(account, release)}


def reviews(objects: Sequence[Object], release: str) -> list[Object]:
    """Return the questions to the API server whether stand-ins have each right of the chart."""
    return [
        {
            "apiVersion": f"{_AUTHORIZED}/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": right.account,
                "groups": [group_of(right.account, release)],
                "resourceAttributes": {
                    "namespace": role["metadata"].get("namespace", ""),
                    "group": right.group,
                    "resource": right.resource.partition("/")[0],
                    "subresource": right.resource.partition("/")[2],
                    "verb": right.verb,
                    "name": name,
                },
            },
        }
        for role, right, name in _all(objects)
    ]


def group_of(account: str, release: str) -> str:
    """Return the group of who stands in for an account."""
    return f"{_AS}{release}:{account}"


def _all(objects: Sequence[Object]) -> Iterator[tuple[Object, Right, str]]:
    """Role, right, and the name of an object that it is for; "" where it is for any."""
    for account, role in _given(objects):
        for rule in role["rules"]:
            name = rule.get("resourceNames", [""])[0]
            for parts in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"]):
                yield role, Right(account, *parts), name


def _given(objects: Sequence[Object]) -> Iterator[tuple[str, Object]]:
    """Who has which of the chart's roles."""
    roles = {_named(body): body for body in objects if body["kind"] in ("Role", "ClusterRole")}
    for body in objects:
        if body["kind"] in _BINDINGS:
            ref = body["roleRef"]
            namespace = body["metadata"].get("namespace") if ref["kind"] == "Role" else None
            role = roles[ref["kind"], namespace, ref["name"]]
            yield from ((subject["name"], role) for subject in body["subjects"])
    for role in roles.values():
        marked = (f"{_RBAC}/aggregate-to-{people}" for people in PEOPLE)
        labels = role["metadata"].get("labels", {})
        yield from ((mark.rpartition("-")[2], role) for mark in marked if mark in labels)


def _named(body: Object) -> tuple[str, str | None, str]:
    return body["kind"], body["metadata"].get("namespace"), body["metadata"]["name"]


# --- what was used --------------------------------------------------------------------------------


def uses(events: Iterable[Object]) -> list[Use]:
    """Return the first of each kind of request by an account of a release or its stand-ins."""
    found: dict[tuple[Right, bool, bool], Use] = {}
    for event in events:
        about = event.get("objectRef", {})
        account = _account(event["user"], event["verb"])
        if account is None or "resource" not in about:  # such as /version: anybody may
            continue
        group = about.get("apiGroup", "")
        if account in PEOPLE and group != GROUP:  # Kubernetes' own business
            continue
        resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
        use = Use(
            Right(account, group, resource, event["verb"]),
            "namespace" in about,
            event["annotations"][f"{_AUTHORIZED}/decision"] == "allow",
            event["requestReceivedTimestamp"],
        )
        key = (use.right, use.namespaced, use.allowed)
        if key not in found or use.first < found[key].first:
            found[key] = use
    return list(found.values())


def _account(user: Object, verb: str) -> str | None:
    service = f"system:serviceaccount:{RELEASE}:"
    if user["username"].startswith(service):
        return str(user["username"]).removeprefix(service)
    for group in user.get("groups", ()):
        if group.startswith(_AS):
            account = str(group).rpartition(":")[2]
            # Who may edit may view, by the other role.
            return VIEW if account == EDIT and verb in READS else account
    return None


def marks() -> tuple[str, ...]:
    """Return texts of which a line of the audit log has one where ``uses`` finds something."""
    return (_AS, f"system:serviceaccount:{RELEASE}:")


def keep(found: Iterable[Use], into: Path) -> None:
    """Write what was used, if anything, into a new file of a folder."""
    if content := [asdict(use) for use in found]:
        into.mkdir(parents=True, exist_ok=True)
        (into / f"used-{secrets.token_hex(4)}.json").write_text(json.dumps(content, indent=1))


def kept(file: Path) -> list[Use]:
    """Read what ``keep`` wrote."""
    return [
        Use(**each | {"right": Right(**each["right"])}) for each in json.loads(file.read_text())
    ]
