# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every parameter of every target does something somewhere, or is marked informative and does nothing anywhere."""

import pytest
from observations import Observer, observations

# Of an informative parameter, which changes nothing, so that none would ever be enough.
INFORMATIVE_CANDIDATES = 2


def candidates(parameter, config):
    """Other values within the declared range, likelier ones first."""
    if "values" in config:
        return config["values"]
    value = parameter["value"]
    if parameter["type"] == "flag":
        return [value != "true"]
    if parameter["type"] == "text":
        return [choice for choice in parameter.get("choices", []) if choice != value]
    low, high = parameter.get("min", float("-inf")), parameter.get("max", float("inf"))
    if parameter["type"] == "integer":
        tries = [int(value) * 2, int(value) // 2, *(int(value) // 4**i for i in range(1, 10)), int(value) + 1, int(value) - 1]
    else:
        tries = [float(value) * 2, float(value) / 2, float(value) * 16, float(value) / 64, float(value) + 1]
    limits = [int(x) if parameter["type"] == "integer" else x for x in (low, high) if abs(x) != float("inf")]
    kept = [t for t in tries if low <= t <= high and str(t) != value]
    return list(dict.fromkeys([*kept, *(x for x in limits if str(x) != value)]))


@pytest.fixture(scope="session")
def observe(run_driver, load_npz, tmp_path_factory):
    return Observer(run_driver, load_npz, tmp_path_factory.mktemp("parameters"))


def has_effect(parameter, config, base, changed, problem):
    """Another result; or the refusal that conformance.yaml foresees, or that of a memory which has become too small."""
    if "refuses" in config:
        return config["refuses"] in problem
    is_too_small = parameter["unit"] == "B" and "needs" in problem and f"'{parameter['name']}'" in problem
    return is_too_small or changed not in (None, base)


def effect(target, parameter, observe):
    """A value of the parameter that has an effect, and where; None if none has. And at how many places it was looked for."""
    name, config = parameter["name"], target.parameter(parameter["name"])
    own, arguments = config.get("settings") or {}, tuple(config.get("arguments") or ())
    values = candidates(parameter, config)[: INFORMATIVE_CANDIDATES if parameter["informative"] else None]
    looked = 0
    for what in observations(target, parameter):
        base, problem = observe(target, what, tuple(own.items()), arguments)
        assert base or parameter["informative"], problem
        looked += base is not None
        for value in values if base else ():
            changed, problem = observe(target, what, tuple({**own, name: value}.items()), arguments)
            if has_effect(parameter, config, base, changed, problem):
                return (value, what), looked
            assert changed or not parameter["informative"], problem
    return None, looked


def test_parameter(target, parameter, observe):
    name = parameter["name"]
    found, looked = effect(target, parameter, observe)
    if parameter["informative"]:
        assert found is None, f"{name} is marked informative in arch.yaml, but {found[0]} changes the results of {found[1]}"
        assert looked > 2, "hardly anything runs on this target"
    else:
        assert found, f"no value of {name} changes any result: mark it informative, or say what it needs in conformance.yaml"
