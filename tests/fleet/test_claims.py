"""Who has a device is the same, however fleets and devices came to be what they are."""

from hypothesis import given
from hypothesis import strategies as st

from petiole.fleet.claims import Claims, selects

NAMES = st.sampled_from(["f0", "f1", "f2", "f3"])
DEVICES = st.sampled_from(["d0", "d1", "d2", "d3", "d4"])
PAIRS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("fleet"), NAMES, st.none() | PAIRS),
        st.tuples(st.just("device"), DEVICES, st.none() | PAIRS),
        st.tuples(st.just("drop"), DEVICES, st.none()),
    ),
    max_size=30,
)


@given(CHANGES)
def test_claims_are_those_of_asking_everybody_anew(changes):
    claims, fleets, devices = Claims(), {}, {}
    for what, name, given_ in changes:
        before = wanted(fleets, devices)
        if what == "fleet":
            fleets.pop(name, None)
            if given_ is not None:
                fleets[name] = given_
            selected = [d for d, labels in devices.items() if selects(fleets.get(name, {}), labels)]
            news = claims.change(name, selected if name in fleets else [])
            after = wanted(fleets, devices)
            assert news == sorted(d for d in after if (name in before[d]) != (name in after[d]))
        elif what == "device":
            devices[name] = given_
            claims.place(name, given_, fleets)
        else:
            devices.pop(name, None)
            claims.drop(name)
        after = wanted(fleets, devices)
        assert {device: list(claims.of(device)) for device in devices} == after
        for fleet in ("f0", "f1", "f2", "f3"):
            assert claims.lost(fleet) == sum(fleet in names[1:] for names in after.values())


def wanted(fleets, devices):
    return {
        device: sorted(f for f, selector in fleets.items() if selects(selector, labels))
        for device, labels in devices.items()
    }
