"""Forms for an action's parameters: made from its published schema, in step with JSON, judged before sending. Pure."""

from broker.operate.forms.field import Field, Kind
from broker.operate.forms.form import Form
from broker.operate.forms.json_text import JsonMistakeError, read_json, write_json
from broker.operate.forms.judge import Problem

__all__ = ["Field", "Form", "JsonMistakeError", "Kind", "Problem", "read_json", "write_json"]
