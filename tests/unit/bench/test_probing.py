"""What a bench keeps of what a probe tells."""

from __future__ import annotations

import numpy as np
import pytest

from bench.probing import Heard
from bench.turns import NotMeasured
from broker.observe.journal import CALL_COLUMNS, Batch
from broker.operate.commands import Report
from broker.probe.status import ProbeStatus


def batch(*ends_ns: int) -> Batch:
    calls = np.zeros(len(ends_ns), CALL_COLUMNS)
    calls["end_ns"] = ends_ns
    return Batch(through_ns=max(ends_ns), calls=calls)


def test_the_calls_of_a_window_are_taken_once_whatever_the_batches():
    heard = Heard()
    for each in (batch(9, 10), batch(11, 19), batch(20, 21)):
        heard.callbacks().on_batch(each)
    assert heard.take_calls(10, 20)["end_ns"].tolist() == [10, 11, 19]
    assert heard.take_calls(10, 20)["end_ns"].tolist() == []


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (ProbeStatus(state="gap", message="The server is gone."), "the probe is in trouble: The server is gone."),
        (ProbeStatus(state="listening", capture_trouble="disk full"), "the probe is in trouble: disk full"),
        (ProbeStatus(state="listening", lost_frames=3), "the probe lost 3 frames before the disk and 0 rows"),
        (ProbeStatus(state="listening", rows_dropped=4), "the probe lost 0 frames before the disk and 4 rows"),
    ],
)
def test_nothing_is_waited_for_of_a_probe_in_trouble(status, says):
    heard = Heard()
    heard.callbacks().on_status(status)
    with pytest.raises(NotMeasured, match=says):
        heard.lag_s(1)


def test_nothing_is_waited_for_of_a_probe_that_ended_or_was_refused():
    gone, refused = Heard(), Heard()
    gone.callbacks().on_lost("The probe was killed by signal 9.")
    refused.callbacks().on_report(0, Report("failed", "the password is wrong"))
    with pytest.raises(NotMeasured, match="killed by signal 9"):
        gone.lag_s(1)
    with pytest.raises(NotMeasured, match="the probe says: the password is wrong"):
        refused.lag_s(1)
