# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every check over every target of the build, and expects those to fail that a target excludes (see suite.py)."""

import re

import pytest
from suite import Target, all_targets, names_of


def pytest_generate_tests(metafunc):
    if "parameter" in metafunc.fixturenames:
        cases = [(target, parameter) for target in all_targets() for parameter in target.parameters]
        metafunc.parametrize("target, parameter", [pytest.param(*case, id=f"{case[0]}-{case[1]['name']}") for case in cases])
    elif "target" in metafunc.fixturenames:
        metafunc.parametrize("target", all_targets(), ids=str)


class Excluded(Exception):
    """A check failed as its exclusion says that it does."""


def exclusion_of(item):
    given = getattr(item, "callspec", None) and item.callspec.params
    return given["target"].exclusion(names_of(item.originalname, given)) if given and isinstance(given.get("target"), Target) else None


def pytest_collection_modifyitems(items):
    for item in items:
        if exclusion := exclusion_of(item):
            item.add_marker(pytest.mark.xfail(reason=f"excluded: {exclusion['reason']}", raises=Excluded, strict=True))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    exclusion = exclusion_of(pyfuncitem)
    try:
        return (yield)
    except Exception as error:
        if exclusion and re.search(exclusion["fails"], str(error)):
            raise Excluded(exclusion["fails"]) from error
        raise
