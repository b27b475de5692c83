"""One action called again and again, measured with the node's own clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from broker.node.context import ABSENT, Context
from broker.node.endpoints import ActionEndpoint
from broker.node.errors import MoleculerError, RequestRejectedError, RequestTimeoutError
from broker.observe.buckets import BUCKET_COUNT, bucket_of
from broker.operate.commands import Bench, BenchResult, OutcomeWord, Progress, Report
from broker.probe.attempts import NOTES, Notes, NotSentError
from broker.probe.calling import Refusal
from broker.probe.hands import CannotAct, Hands
from broker.probe.unannounced import Unannounced
from broker.probe.wanted import Wanted, endpoint_of, read_call

MOST_IN_FLIGHT: Final = 100
MOST_CALLS: Final = 100_000
LONGEST_S: Final = 600.0
"""A bench is never more than this, whatever is wanted."""
TELL_EVERY_S: Final = 0.25
MOST_ERROR_WORDS: Final = 20


async def bench(hands: Hands, command: Bench, refusal: Refusal, told: Callable[[Progress], None]) -> Report:
    """Call and measure.

    Args:
        hands: Who sends.
        command: What, how often and how many at once.
        refusal: Why nothing may be sent any more; empty while it may.
        told: Told four times a second what was measured so far.

    Raises:
        CannotAct: Nothing was sent.
    """
    if wrong := over_the_cap(command):
        raise CannotAct(Report("failed", f"{wrong} Nothing was sent.", "A bench may hurt: keep it small."))
    wanted = read_call(command.call)
    node = await hands.node(command.call.namespace)
    endpoint = await endpoint_of(hands, node, wanted)
    await hands.is_ready(refusal)
    return await OneBench(hands, node, command, wanted, endpoint, refusal, told).run()


def over_the_cap(command: Bench) -> str:
    """Why a bench is refused; empty if it is not."""
    if command.count <= 0 and command.for_s <= 0:
        return "Neither a count nor a time is given."
    if command.count > MOST_CALLS:
        return f"count is {command.count:,}, expected at most {MOST_CALLS:,}."
    if command.for_s > LONGEST_S:
        return f"for_s is {command.for_s:,g}, expected at most {LONGEST_S:,g}."
    if not 1 <= command.concurrency <= MOST_IN_FLIGHT:
        return f"concurrency is {command.concurrency:,}, expected 1 to {MOST_IN_FLIGHT}."
    return ""


class OneBench:
    """A bench that is being made."""

    def __init__(
        self,
        hands: Hands,
        node: Unannounced,
        command: Bench,
        wanted: Wanted,
        endpoint: ActionEndpoint | str,
        refusal: Refusal,
        told: Callable[[Progress], None],
    ) -> None:
        self._hands = hands
        self._node = node
        self._wanted = wanted
        self._endpoint = endpoint
        self._refusal = refusal
        self._told = told
        self._concurrency = command.concurrency
        self._count = command.count or MOST_CALLS
        self._for_s = command.for_s or LONGEST_S
        self._is_counted = command.count > 0
        self._began_s = self._ended_s = node.broker.monotonic_s()
        self._begun = self._calls = self._errors = self._timeouts = 0
        self._buckets = [0] * BUCKET_COUNT
        self._max_s = 0.0
        self._words: Counter[str] = Counter()
        self._stopped = ""
        self._outcome: OutcomeWord = "done"

    async def run(self) -> Report:
        """Make it. Gives the report, also when it is given up: this coroutine may be cancelled once."""
        workers = [asyncio.create_task(self._work(), name="bench") for _ in range(self._concurrency)]
        telling = asyncio.create_task(self._tell(), name="bench progress")

        def lost(reason: str) -> None:
            self._stop(f"The connection was lost: {reason}", "unknown")
            for worker in workers:
                worker.cancel()

        with self._hands.waits(lost):
            try:
                await asyncio.wait(workers)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task is not None  # noqa: S101 - coroutines run in tasks
                task.uncancel()
                self._stop("Given up.", "cancelled")
                for worker in workers:
                    worker.cancel()
                await asyncio.wait(workers)
            finally:
                telling.cancel()
        self._ended_s = self._now_s()
        for worker in workers:
            if not worker.cancelled() and (bug := worker.exception()) is not None:
                raise bug
        return self._report()

    def _stop(self, why: str, outcome: OutcomeWord) -> None:
        if not self._stopped:
            self._stopped, self._outcome = why, outcome

    def _now_s(self) -> float:
        return self._node.broker.monotonic_s()

    async def _work(self) -> None:
        """Call until there is enough."""
        while self._begun < self._count and self._now_s() - self._began_s < self._for_s and not self._stopped:
            self._begun += 1
            await self._call()

    async def _call(self) -> None:
        notes = Notes(self._refusal)
        ctx = Context.fresh(self._node.broker, {} if self._wanted.params is ABSENT else self._wanted.params)
        ctx.meta, ctx.headers = dict(self._wanted.meta), self._wanted.headers
        ctx.timeout_s, ctx.retries = self._wanted.timeout_s, 0
        ctx.locals[NOTES] = notes
        try:
            await self._node.broker.call(self._endpoint, ctx=ctx)
        except NotSentError as error:
            self._stop(error.message, "partly")
        except (RequestTimeoutError, RequestRejectedError):
            self._timeouts += 1
        except MoleculerError as error:
            if not notes.attempts:
                self._stop(f"{error.message} Nothing more was sent.", "partly")
            elif notes.is_out_of_time:
                self._timeouts += 1
            else:
                self._errors += 1
                self._count_word(f"{error.name}: {error.message}")
                self._answered(notes)
        else:
            self._answered(notes)
        finally:
            self._node.attempts.close(notes)

    def _answered(self, notes: Notes) -> None:
        duration_s = notes.duration_s
        self._calls += 1
        self._buckets[bucket_of(duration_s)] += 1
        self._max_s = max(self._max_s, duration_s)

    def _count_word(self, word: str) -> None:
        if word in self._words or len(self._words) < MOST_ERROR_WORDS:
            self._words[word] += 1

    # telling

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            now_s = self._now_s()
            by_time = (now_s - self._began_s) / self._for_s
            done = max(by_time, self._begun / self._count) if self._is_counted else by_time
            self._told(Progress(min(1.0, done), bench=self._result(now_s)))

    def _result(self, now_s: float) -> BenchResult:
        return BenchResult(
            calls=self._calls,
            errors=self._errors,
            timeouts=self._timeouts,
            seconds=now_s - self._began_s,
            buckets=tuple(self._buckets),
            max_ms=self._max_s * 1000,
            error_words=dict(self._words),
        )

    def _report(self) -> Report:
        result = self._result(self._ended_s)
        rate = result.calls / result.seconds if result.seconds > 0 else 0.0
        text = f"{result.calls:,} answers in {result.seconds:,.2f} s: {rate:,.1f} a second"
        text += f", {result.errors:,} of them errors" if result.errors else ""
        text += f"; {result.timeouts:,} calls were not answered" if result.timeouts else ""
        message = f"{self._stopped} {text}." if self._stopped else f"{text}."
        return Report(self._outcome, message, bench=result)
