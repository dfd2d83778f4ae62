"""A lane for each recipient: the slow one never holds the others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

_T = TypeVar("_T")


class Lanes:
    """What is put into a recipient's lane goes in order, one after the other; the lanes go side by side.

    As a context: at its end everything put in has been gone through; if it ends by an error, what has not begun is left out. Not
    side by side, each thing is gone through when it is put in, in one order and in the caller's own thread.
    """

    def __init__(self, side_by_side: bool = True) -> None:
        self._side_by_side = side_by_side
        self._lanes: dict[str, ThreadPoolExecutor] = {}

    def put(self, recipient: str, work: Callable[[], _T]) -> Future[_T]:
        """The result of `work` to come, or what it raises."""
        if self._side_by_side:
            if recipient not in self._lanes:
                self._lanes[recipient] = ThreadPoolExecutor(1, f"lane-{recipient}")
            return self._lanes[recipient].submit(work)
        done: Future[_T] = Future()
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)
        return done

    def __enter__(self) -> Lanes:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        for lane in self._lanes.values():
            lane.shutdown(wait=False, cancel_futures=kind is not None)
        for lane in self._lanes.values():
            lane.shutdown(wait=True)
