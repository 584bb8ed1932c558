"""DeviceFleets against a real gateway: its plan comes, stays right and goes with the fleet."""

from hack.testbed.waits import wait_until


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
