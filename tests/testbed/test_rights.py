"""What the chart grants, who used it, and the comparison of both."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hack import rights
from hack.rights import compare, during
from hack.testbed import audit
from hack.testbed.controlplane import ControlPlane, KubectlError
from hack.testbed.rights import (
    CLEAR,
    EDIT,
    OPERATOR,
    PEOPLE,
    STAND_IN,
    VIEW,
    Right,
    Use,
    chart,
    granted,
    group_of,
    keep,
    marks,
    uses,
)

GET = Right(OPERATOR, "", "secrets", "get")
LIST = replace(GET, verb="list")
AT = "2026-11-22T12:00:0{}.000000Z"


def use(right: Right = GET, second: int = 0, **more: bool) -> Use:
    return Use(right, **{"namespaced": True, "allowed": True} | more, first=AT.format(second))


# --- the comparison -------------------------------------------------------------------------------


def test_what_is_granted_and_used_is_right_and_names_who_used_it_first() -> None:
    used = [(use(second=5), "late"), (use(second=1, namespaced=False), "early")]
    (row,) = compare({GET: "Role a"}, used)
    assert (row.by, row.test, row.about, row.problem) == ("Role a", "early", ("all", "one"), "")


def test_a_right_that_nobody_used_is_told() -> None:
    rows = compare({GET: "Role a", LIST: "Role a"}, [(use(), "a test")])
    assert [(row.right, row.problem) for row in rows] == [(GET, ""), (LIST, "never used")]


def test_a_right_that_was_missing_is_told_with_who_wanted_it() -> None:
    (row,) = compare({}, [(use(allowed=False), "a test")])
    assert (row.problem, row.refused, row.test) == ("refused", "a test", "")


def test_a_right_that_is_not_the_charts_is_told() -> None:
    (row,) = compare({}, [(use(), "a test")])
    assert row.problem == "not granted"


def test_a_refusal_is_told_though_the_right_is_granted_and_used_elsewhere() -> None:
    """In another namespace, or of another name."""
    (row,) = compare({GET: "Role a"}, [(use(), "a test"), (use(allowed=False), "another")])
    assert (row.problem, row.refused) == ("refused", "another")


def test_the_test_of_a_moment_is_the_one_that_began_last() -> None:
    begun = [(AT.format(2), "first"), (AT.format(4), "second")]
    assert during(AT.format(1), begun) == "before the first test"
    assert [during(AT.format(n), begun) for n in (2, 3, 4, 5)] == ["first"] * 2 + ["second"] * 2


def test_sessions_are_read_with_their_tests(tmp_path: Path) -> None:
    for number, test in enumerate(("one", "two")):
        keep([use(second=3)], tmp_path / str(number))
        begun = [[AT.format(2), test]]
        (tmp_path / str(number) / "tests.json").write_text(json.dumps(begun))
    keep([use(LIST)], tmp_path / "ended by force")
    found = {(use.right, test) for use, test in rights.read(tmp_path)}
    assert found == {(GET, "one"), (GET, "two"), (LIST, "before the first test")}


@pytest.mark.parametrize("some", [False, True])
def test_the_command_ends_with_1_where_something_is_wrong(
    some: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rights, "FOLDER", tmp_path)
    words = ["--some"] if some else []
    assert rights.main(words) == 1
    assert "run the tests first" in capsys.readouterr().err
    *most, last = granted(chart())
    keep([use(right) for right in most], tmp_path / "1")
    assert rights.main(words) == (0 if some else 1)
    assert (f"{last}: no test uses it" in capsys.readouterr().err) == (not some)
    keep([use(last)], tmp_path / "2")
    assert rights.main(words) == 0
    assert str(last.of) in capsys.readouterr().out
    assert rights.main([*words, "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    keep([use(LIST, allowed=False)], tmp_path / "3")
    assert rights.main(words) == 1
    assert f"{LIST}: refused" in capsys.readouterr().err


# --- the chart's rights ---------------------------------------------------------------------------


def test_the_charts_rights_are_those_of_its_roles() -> None:
    may = granted(chart())
    assert {right.account for right in may} == {OPERATOR, CLEAR, *PEOPLE}
    assert may[Right(OPERATOR, "coordination.k8s.io", "leases", "update")].startswith("Role ")
    assert may[GET].startswith("ClusterRole ")
    assert LIST not in may
    elsewhere = granted(chart("orchard"))
    assert elsewhere.keys() == {right for right in may if right.account not in PEOPLE}
    assert elsewhere[GET].startswith("Role ")


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        ("get secrets -n default", True),
        ("list devicefleets.petiole.dev -A", True),
        ("list secrets -n default", False),
        ("patch devicefleets.petiole.dev -n default", False),
        ("create configmaps -n default", False),
        (f"update leases.coordination.k8s.io/petiole-operator -n {STAND_IN}", True),
        (f"update leases.coordination.k8s.io/other -n {STAND_IN}", False),
        ("update leases.coordination.k8s.io/petiole-operator -n default", False),
    ],
)
def test_who_stands_in_has_the_charts_rights_and_no_others(
    control_plane: ControlPlane, asked: str, may: bool
) -> None:
    control_plane.stand_in("somebody")
    who = ("--as", "somebody", "--as-group", group_of(OPERATOR, STAND_IN))
    assert allowed(control_plane, *asked.split(), *who) is may


def test_a_release_of_its_own_has_no_rights_elsewhere(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.stand_in(f"{namespace}-own", release=namespace)
    who = ("--as", "somebody", "--as-group", group_of(OPERATOR, namespace))
    assert allowed(control_plane, "get", "secrets", "-n", namespace, *who)
    assert not allowed(control_plane, "get", "secrets", "-n", "default", *who)


@pytest.mark.parametrize(
    ("asked", "who", "may"),
    [
        ("list devicefleets.petiole.dev -A", VIEW, True),
        ("patch devicefleets.petiole.dev -n default", VIEW, False),
        ("list tinymodels.petiole.dev -n default", EDIT, True),
        ("delete tinymodels.petiole.dev -n default", EDIT, True),
        ("patch tinymodels.petiole.dev --subresource=status -n default", EDIT, False),
    ],
)
def test_people_have_what_their_roles_get_from_the_chart(
    control_plane: ControlPlane, asked: str, who: str, may: bool
) -> None:
    control_plane.stand_in(who, who)
    as_them = ("--as", who, "--as-group", group_of(who, STAND_IN))
    assert allowed(control_plane, *asked.split(), *as_them) is may


def allowed(control_plane: ControlPlane, *question: str) -> bool:
    try:
        return control_plane.kubectl("auth", "can-i", *question).strip() == "yes"
    except KubectlError:  # it ends with 1 when it says no
        return False


# --- the audit log --------------------------------------------------------------------------------


def test_what_was_used_is_read_off_the_audit_log(
    control_plane: ControlPlane, namespace: str
) -> None:
    """That of a person: a right that only this test had of the operator's would be told as used."""
    mine = control_plane.stand_in(f"{namespace}-user", VIEW)
    ask(control_plane, mine, "get", "tinymodel/none", "-n", namespace)
    ask(control_plane, mine, "get", "devicefleets", "-A")
    found = list(audit.events(control_plane.folder, f'"{namespace}-user"'))
    assert [(u.right, u.namespaced, u.allowed) for u in uses([*found, *found])] == [
        (Right(VIEW, "petiole.dev", "tinymodels", "get"), True, True),
        (Right(VIEW, "petiole.dev", "devicefleets", "list"), False, True),
    ]
    assert all(any(mark in json.dumps(event) for mark in marks()) for event in found)


def test_a_refusal_is_read_off_the_audit_log(control_plane: ControlPlane, namespace: str) -> None:
    """That of a stranger: one of a stand-in would be told at the end of the tests."""
    stranger = control_plane.admit(f"{namespace}-stranger", f"{namespace}-stranger")
    ask(control_plane, stranger, "create", "configmap", "mine", "-n", namespace)
    (event,) = audit.events(control_plane.folder, f'"{namespace}-stranger"')
    assert uses([event]) == []
    event["user"]["groups"].append(group_of(OPERATOR, STAND_IN))
    (refused,) = uses([event])
    assert refused.right == Right(OPERATOR, "", "configmaps", "create")
    assert not refused.allowed


def test_a_service_account_is_known_by_its_name() -> None:
    event = {
        "user": {"username": "system:serviceaccount:petiole-system:petiole-gateway"},
        "verb": "get",
        "objectRef": {"resource": "tinymodels", "subresource": "status", "apiGroup": "petiole.dev"},
        "annotations": {"authorization.k8s.io/decision": "forbid"},
        "requestReceivedTimestamp": AT.format(1),
    }
    right = Right("petiole-gateway", "petiole.dev", "tinymodels/status", "get")
    assert uses([event]) == [Use(right, False, False, AT.format(1))]
    assert uses([event | {"objectRef": {}}]) == []
    assert uses([event | {"user": {"username": "system:serviceaccount:other:operator"}}]) == []


def test_who_may_edit_reads_by_the_other_role() -> None:
    event = {
        "user": {"username": "gardener", "groups": ["others", group_of(EDIT, STAND_IN)]},
        "objectRef": {"resource": "tinymodels", "apiGroup": "petiole.dev", "namespace": "orchard"},
        "annotations": {"authorization.k8s.io/decision": "allow"},
        "requestReceivedTimestamp": AT.format(1),
    }
    used = [use.right for use in uses([event | {"verb": verb} for verb in ("get", "patch")])]
    assert [(right.account, right.verb) for right in used] == [(VIEW, "get"), (EDIT, "patch")]
    pods = event | {"verb": "get", "objectRef": {"resource": "pods"}}
    assert uses([pods]) == []


def test_a_log_that_was_put_aside_is_read_too(tmp_path: Path) -> None:
    for name, number in (("audit.log", 2), ("audit-2026-11-22T12-00-00.000.log", 1)):
        (tmp_path / name).write_text(json.dumps({"n": number}) + "\n")
    assert [event["n"] for event in audit.events(tmp_path)] == [1, 2]
    assert [event["n"] for event in audit.events(tmp_path, '"n": 2', "nothing")] == [2]


def ask(control_plane: ControlPlane, kubeconfig: Path, *words: str) -> None:
    command = [str(control_plane.kubectl_path), "--kubeconfig", str(kubeconfig), *words]
    subprocess.run(command, capture_output=True, timeout=30, check=False)
