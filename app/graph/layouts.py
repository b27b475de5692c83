"""Every layout by its name. No Qt."""

from __future__ import annotations

from app.graph.plan import Placing, Plan


def lay_out(plan: Plan) -> Placing:
    """Place the boxes of a plan. A layered one that is too big is done by force, and says so."""
    if plan.groups:
        from app.graph.grouped import grouped  # noqa: PLC0415

        return grouped(plan, lay_out)
    # each library is loaded when it is first wanted: they take longer than most layouts
    if plan.kind == "layered" and plan.fits_layers():
        from app.graph.layered import layered  # noqa: PLC0415

        return layered(plan)
    if plan.kind in ("layered", "force"):
        from app.graph.force import force  # noqa: PLC0415

        placing = force(plan)
        if plan.kind == "layered":
            problem = f"{len(plan.boxes):,} boxes and {len(plan.lines):,} lines are too many for layers"
            placing = Placing(placing.number, placing.kind, placing.at, placing.bends, problem)
        return placing
    from app.graph.regular import concentric, grid  # noqa: PLC0415

    return grid(plan) if plan.kind == "grid" else concentric(plan)
