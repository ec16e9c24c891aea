# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every check over every target of the build, and expects those to fail that a target excludes (see suite.py)."""

import pytest
from suite import Target, all_targets, names_of


def pytest_generate_tests(metafunc):
    if "parameter" in metafunc.fixturenames:
        cases = [(target, parameter) for target in all_targets() for parameter in target.parameters]
        metafunc.parametrize("target, parameter", [pytest.param(*case, id=f"{case[0]}-{case[1]['name']}") for case in cases])
    elif "target" in metafunc.fixturenames:
        metafunc.parametrize("target", all_targets(), ids=str)


def pytest_collection_modifyitems(items):
    for item in items:
        given = getattr(item, "callspec", None) and item.callspec.params
        if given and isinstance(given.get("target"), Target):
            reason = given["target"].reason(names_of(item.originalname, given))
            if reason:
                item.add_marker(pytest.mark.xfail(reason=f"excluded: {reason}", strict=True))
