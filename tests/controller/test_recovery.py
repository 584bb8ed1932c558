"""Valid, invalid, valid again: what the API server cannot judge leaves no trace in the status."""

import copy

from .conftest import condition

BAD_WINDOW = ("spec", "rollout", "windows")
EDITS = {
    "cron": (BAD_WINDOW, {"apply": [{"cron": "61 * * * *", "duration": "1h"}]}, "InvalidObject"),
    "never": (BAD_WINDOW, {"apply": [{"cron": "0 0 31 2 *", "duration": "1h"}]}, "InvalidObject"),
    "zone": (
        BAD_WINDOW,
        {"freeze": [{"first": "2026-12-24", "last": "2026-12-26", "timeZone": "Mars/Base"}]},
        "InvalidObject",
    ),
    "bundle": (("spec", "firmware"), {"uri": "firmware/nowhere.zip"}, "FirmwareMissing"),
}
PASSING = {"observedGeneration", "lastTransitionTime", "reportedAt", "since", "until"}


def normal(value):
    """A status without what is about the time of looking at it."""
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items() if key not in PASSING}
    return [normal(inner) for inner in value] if isinstance(value, list) else value


def changed(fleet, path, value):
    made = copy.deepcopy(fleet)
    at = made
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return made


def test_an_edit_that_cannot_be_carried_out_is_taken_back_without_a_trace(shared, gateway, model):
    gateway.register(f"{model.name}-device", {"site": model.name})
    fleet = model.fleet()
    shared.cluster.apply(model.manifest(labelBudget=4), fleet)

    def settled(status):
        generation = shared.get("devicefleet", model.name)["metadata"]["generation"]
        going = status.get("mode") == "Rolling" and status.get("counts", {}).get("total") == 1
        fine = condition(status, "Stalled").get("status") != "True"
        return going and fine and status["observedGeneration"] == generation

    before = normal(shared.until("devicefleet", model.name, settled, "a rollout"))
    for path, value, reason in EDITS.values():
        shared.cluster.apply(changed(fleet, path, value))
        shared.until_condition("devicefleet", model.name, "Stalled", reason)
        shared.cluster.apply(fleet)
        after = shared.until("devicefleet", model.name, settled, f"a rollout after {reason}")
        assert normal(after) == before
