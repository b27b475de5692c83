"""What the side panel says of what names no action."""

from __future__ import annotations

from app.side_facts import ORPHAN_TITLE, side_facts
from broker.mesh import calls
from broker.mesh.filter import EMPTY, parse
from broker.mesh.subject import Subject
from broker.mesh.timeline import Timeline
from tests.script import Script


def test_of_an_answer_without_its_request_only_that_is_told_which_is_known() -> None:
    timeline = Timeline()
    timeline.take(Script().response(1.0, id="lost", sender="x", target="a", data={"odd": 5}).batch())
    snapshot = timeline.snapshot()
    [record] = calls.recent(snapshot, snapshot.everything(), filter=parse("outcome = orphan"))
    subject = Subject("call", record.namespace, record.action, address=record.address)
    facts = side_facts(subject, snapshot.everything(), EMPTY, snapshot)
    assert (facts.title, facts.kind, facts.about) == (ORPHAN_TITLE, "answer", "its request was not heard")
    told = dict(facts.facts)
    assert (told["from node"], told["to node"]) == ("x", "a")
    assert told["payload"] == "not kept: request not heard"
    assert told.keys().isdisjoint({"duration", "caller", "request", "began"})
