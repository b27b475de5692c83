"""A form for an action's parameters, in step with raw JSON. Knows no mesh."""

from app.widgets.form.params_form import ParamsForm

__all__ = ["ParamsForm"]
