import asyncio
import inspect

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Tests written as coroutines run in a loop of their own, and leave no task behind."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    names = inspect.signature(test).parameters
    asyncio.run(_alone(test(**{name: pyfuncitem.funcargs[name] for name in names})))
    return True


async def _alone(story) -> None:
    await story
    assert asyncio.all_tasks() == {asyncio.current_task()}
