"""The command that starts the app."""

import sys
from typing import Annotated

import typer

from qurd_core.errors import QurdError


def app(
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Port on this machine; a free one if not given.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    allow_files: Annotated[
        bool,
        typer.Option(
            "--allow-files",
            help="Let visitors from other machines delete saved benchmarks, import from paths, stop any run.",
        ),
    ] = False,
    benchmark: Annotated[
        str | None,
        typer.Option(
            "--benchmark",
            "-b",
            help="Path of your folder of models, table of answers or saved benchmark: register it by its own name first.",
        ),
    ] = None,
) -> None:
    """Start the app on this machine and open it in the browser. Ctrl-C ends it."""
    import runpy

    from qurd_core.files import ROOT

    _home()
    if benchmark:
        _register(benchmark)
    options = {"server.port": _free(port), "server.headless": str(no_browser).lower(), "server.showEmailPrompt": "false"}
    given = (part for name, value in options.items() for part in (f"--{name}", str(value)))
    sys.argv = ["streamlit", "run", str(ROOT / "app.py"), *given, *["--", "--allow-files"] * allow_files]
    runpy.run_module("streamlit", run_name="__main__")  # in this process, whose signals it then answers


def _register(text: str) -> None:
    """Give a benchmark the name that its file or folder has, as far as a name can be so."""
    import re
    from pathlib import Path

    from qurd_core.benchmarks import base, registered

    name = re.sub(r"[^a-z0-9]+", "-", Path(text).absolute().stem.lower()).strip("-")[:40]
    if registered.name_of(text) is None:
        base.register(name or "mine", text)
    print(f"{text} is {registered.name_of(text) or name} in the app.")  # noqa: T201


def _home() -> None:
    """
    Raises:
        QurdError: this user has no home folder, without which Streamlit ends.
    """
    from pathlib import Path

    try:
        Path.home()
    except RuntimeError:
        raise QurdError(
            "Expected a home folder, where the app looks for its settings. This user has none: set HOME to a folder."
        ) from None


def _free(port: int | None) -> int:
    """The port, or one that nobody has.

    Raises:
        QurdError: somebody has it.
    """
    import socket

    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was used a moment ago is free
        try:
            door.bind(("127.0.0.1", port or 0))
        except OSError as error:
            raise QurdError(f"Expected a free port. {port} is not: {error.strerror}. Name another one, or none.") from None
        return door.getsockname()[1]
