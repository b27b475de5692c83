"""Entry: a headless command, or the window."""

from __future__ import annotations

import sys

import click

from app.cli.all_commands import meshscope
from app.cli.errors import SaidNo
from app.cli.group import Programs
from app.cli.targets import Target
from broker.operate import log_masks
from broker.probe import spare
from broker.probe.niceness import give_way


def open_window(*, target: Target | None = None, demo: bool = False, show_s: float = 0.0, picture: str = "") -> int:
    """Import Qt only when a window is wanted, and say so when it is not installed."""
    spare.prepare()
    try:
        try:
            from app.main import run_window  # noqa: PLC0415
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith(("PySide6", "pyqtgraph", "qtawesome", "shiboken6")):
                raise
            raise SaidNo(
                f"The window needs {error.name}, which is not installed.",
                "Install it with: pip install 'meshscope[window]'. Headless commands (see --help) work without it.",
            ) from error
        return run_window(target=target, demo=demo, show_s=show_s, picture=picture)
    finally:
        spare.dismiss()


def main() -> None:
    """Run the program. Exits 0 done, 1 said no, 2 wrong usage, 130 Ctrl+C."""
    log_masks.install()
    try:
        programs = Programs(open_window, sit_beside_mesh=give_way)
        code = meshscope.main(standalone_mode=False, prog_name="meshscope", obj=programs)
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        # whoever read our output has seen enough, as `head` does
        sys.stderr.close()
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
