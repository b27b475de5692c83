"""What pictures show of the caller: an answer with what it set off, an error, an event before it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable

from PySide6.QtCore import QEventLoop, QTimer

from app.shell import Shell
from app.views.caller import CallerView
from broker.operate.calling.captured import Template
from broker.operate.calling.request import Request

LOOK_MS = 50
PATIENCE_MS = 15_000
ORDER = {"user": 5, "items": [{"id": 17, "count": 2}, {"id": 3, "count": 1}]}
CHARGE = {"order": "O-0004711", "amount": -1, "currency": "EUR"}


def wait_for(is_so: Callable[[], bool]) -> None:
    """Let the window live until something is so, or for too long."""
    loop, look, end = QEventLoop(), QTimer(), QTimer()
    look.timeout.connect(lambda: loop.quit() if is_so() else None)
    end.timeout.connect(loop.quit)
    look.start(LOOK_MS)
    end.start(PATIENCE_MS)
    loop.exec()
    look.stop()
    end.stop()


def caller_shoot(shell: Shell) -> dict[str, Callable[[], None]]:
    """By name, what is done before each picture."""
    desk = shell.desk

    def begin(request: Request) -> CallerView:
        desk.show_view("caller")
        view = shell.area.widget("caller")
        assert isinstance(view, CallerView)  # noqa: S101  the view of that name
        wait_for(lambda: view.has_heard and not view.courier.is_busy)
        desk.use_template(Template(request))
        return view

    def send(view: CallerView) -> None:
        view.send(anyway=True)
        wait_for(lambda: view.answer.shown is not None)

    def answer() -> None:
        meta = '{"user": {"id": 5}, "token": "of the session"}'
        send(begin(Request("call", "v2.orders.create", params=json.dumps(ORDER), meta=meta)))

    def error() -> None:
        send(begin(Request("call", "v1.payments.charge", params=json.dumps(CHARGE))))

    def mistake() -> None:
        begin(Request("call", "v1.payments.charge", params=json.dumps(CHARGE)))

    def event() -> None:
        begin(Request("emit", "order.created", params='{"id": "O-0004711", "user": 5}'))

    return {"caller-answer": answer, "caller-error": error, "caller-mistake": mistake, "caller-event": event}
