"""DeviceFleets against a real gateway: its plan comes, stays right and goes with the fleet."""

import json

from typer.testing import CliRunner

from hack.testbed.rights import EDIT
from hack.testbed.waits import wait_until
from petiole.cli.main import app


def held(gateway, fleet):
    return fleet in gateway.ask("/v1/fleets").json()


def told(operator, gateway, model):
    """Tell whether the gateway answers the plan that status names."""
    answer = gateway.ask(f"/v1/fleets/{model.namespace}.{model.name}/summary")
    serial = operator.status("devicefleet", model.name).get("serial", 0)
    return serial > 0 and answer.status_code == 200 and answer.json()["serial"] == serial


def delete(operator, model):
    operator.cluster.kubectl("delete", "devicefleet", model.name, "-n", operator.namespace)


def test_a_fleet_waits_for_its_model_and_follows_it(shared, gateway, model):
    gateway.register(f"{model.name}-device", {"site": model.name})
    shared.cluster.apply(model.fleet())

    def waits(status):
        return status.get("waitingFor", {}).get("reason") == "ModelMissing"

    shared.until("devicefleet", model.name, waits, "a fleet that waits for its model")
    shared.cluster.apply(model.manifest(labelBudget=4))

    def follows(status):
        return status.get("revision", {}).get("target") == 1

    shared.until("devicefleet", model.name, follows, "revision 1 as target")
    wait_until(lambda: told(shared, gateway, model), 30, "the gateway's plan")


def test_a_deleted_fleet_leaves_the_gateway(shared, gateway, model):
    shared.cluster.apply(model.manifest(labelBudget=4), model.fleet())
    fleet = f"{model.namespace}.{model.name}"
    wait_until(lambda: held(gateway, fleet), 60, "the gateway's plan")
    delete(shared, model)
    wait_until(lambda: not held(gateway, fleet), 30, "the plan's end")


def test_a_fleet_deleted_unseen_is_swept(operator, gateway, model):
    operator.start()
    operator.cluster.apply(model.manifest(labelBudget=4), model.fleet())
    fleet = f"{model.namespace}.{model.name}"
    wait_until(lambda: held(gateway, fleet), 60, "the gateway's plan")
    operator.kill()
    delete(operator, model)
    assert held(gateway, fleet)
    operator.start()
    wait_until(lambda: not held(gateway, fleet), 30, "the plan's end")


def test_a_gateway_that_is_away_is_told(shared, gateway, model):
    shared.cluster.apply(model.manifest(labelBudget=4), model.fleet())
    wait_until(lambda: told(shared, gateway, model), 60, "the gateway's plan")

    def reachable(status):
        found = [c for c in status["conditions"] if c["type"] == "GatewayReachable"]
        return found[0]["status"] if found else ""

    gateway.process.kill()
    try:
        status = shared.until(
            "devicefleet", model.name, lambda s: reachable(s) == "False", "an unreachable gateway"
        )
        message = next(c for c in status["conditions"] if c["type"] == "GatewayReachable")
        assert "--gateway-url" in message["message"]
    finally:
        gateway.start()
    shared.until("devicefleet", model.name, lambda s: reachable(s) == "True", "a gateway again")
    wait_until(lambda: told(shared, gateway, model), 30, "the gateway's plan")


def petiole(verb, operator, model):
    editor = operator.cluster.stand_in("editor", EDIT)
    where = ("--kubeconfig", str(editor), "-n", operator.namespace)
    return CliRunner().invoke(app, [verb, model.name, *where, "--wait", "30"])


def requested(operator, model):
    """Events of the model's fleet about requests."""
    answer = operator.cluster.kubectl(
        "get", "events", "-n", operator.namespace, "-o", "json",
        "--field-selector", f"involvedObject.name={model.name}",
    )  # fmt: skip
    found = [item["reason"] for item in json.loads(answer)["items"]]
    return [reason for reason in found if reason.startswith("Request")]


def test_people_ask_beside_the_spec(shared, gateway, model):
    gateway.register(f"{model.name}-device", {"site": model.name})
    shared.cluster.apply(model.manifest(labelBudget=4), model.fleet())

    def rolling(status):
        return status.get("mode") == "Rolling"

    shared.until("devicefleet", model.name, rolling, "a rollout")
    spec = shared.get("devicefleet", model.name)["spec"]
    paused = petiole("pause", shared, model)
    assert paused.exit_code == 0, paused.stderr
    assert "accepted, pause: no further device begins" in paused.stdout
    again = petiole("pause", shared, model)
    assert again.exit_code == 1
    assert "refused, pause: it is paused already" in again.stderr

    def held(status):
        return status.get("waitingFor", {}).get("reason") == "Held"

    status = shared.until("devicefleet", model.name, held, "a fleet that is held")
    assert status["held"] is True
    assert petiole("resume", shared, model).exit_code == 0
    shared.until("devicefleet", model.name, rolling, "a rollout again")
    wait_until(lambda: len(requested(shared, model)) == 3, 10, "an Event for each request")
    assert sorted(requested(shared, model)) == ["RequestAccepted"] * 2 + ["RequestRefused"]
    assert shared.get("devicefleet", model.name)["spec"] == spec


def test_a_request_for_a_fleet_that_is_not_there_is_told(shared, model):
    done = petiole("abort", shared, model)
    assert done.exit_code == 1
    assert f"there is no devicefleet {model.namespace}/{model.name}" in done.stderr


def test_windows_that_mean_nothing_stall_the_fleet(shared, gateway, model):
    gateway.register(f"{model.name}-device", {"site": model.name})
    window = {"cron": "0 25 * * *", "duration": "1h"}
    shared.cluster.apply(model.manifest(labelBudget=4), model.fleet(windows={"apply": [window]}))
    said = shared.until_condition("devicefleet", model.name, "Stalled", "InvalidObject")
    assert "spec.rollout.windows.apply[0].cron '0 25 * * *' is not a cron expression" in said
