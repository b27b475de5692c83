"""What stands where an answer would: why there is none, and what to do to get one."""

from __future__ import annotations

from app.caller.answer_panel import AnswerPanel
from app.caller.catalogue import Catalogue
from app.desk import Desk
from broker.operate.calling.request import Request
from broker.operate.commands import AskOnce

NAMES_COME = "Names come with traffic, schemas with the INFO packets that nodes send when they start or are asked."


def show_idle(panel: AnswerPanel, desk: Desk, known: Catalogue | None, request: Request, why_not: str) -> None:
    """Say what to do next.

    Args:
        panel: Where.
        desk: Tells what may be done.
        known: What can be called; None before the first answer.
        request: As it is written.
        why_not: Why it cannot be sent now; empty if it can.
    """
    is_call = request.kind == "call"
    if known is None or known.heard_s < 1:
        panel.show_nothing("Nothing heard yet", "Waiting for the first packets from the bus.")
    elif request.name and why_not:
        panel.show_nothing(f"{request.name} cannot be sent now", why_not)
    elif request.name:
        comes = "The answer comes here." if is_call else "Which nodes it went to is told here."
        panel.show_nothing(f"Ready to {request.kind} {request.name}", f"Ctrl+Enter sends it. {comes}")
    elif is_call and not known.actions:
        if desk.may(AskOnce()).allowed:
            panel.show_nothing("No action known yet", NAMES_COME, "Ask all nodes once", lambda: desk.submit(AskOnce()))
        else:
            more = "You can write the full name of an action all the same."
            panel.show_nothing("No action known yet", f"{NAMES_COME} {more}")
    else:
        how = "Type a few letters of its name at the left (Ctrl+L), or take a request from the right."
        panel.show_nothing("Choose an action" if is_call else "Choose an event", how)
