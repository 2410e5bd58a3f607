"""Stories for the stage: files with a link and a sentence per step."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.links import Target

FOLDER = Path(__file__).parents[2] / "assets" / "stories"


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        say: what the speaker says, in one sentence.
        target: the view, with the story and the number of the step.
    """

    say: str
    target: Target


def names() -> list[str]:
    """The stories that are there."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


@cache
def read(name: str) -> tuple[Step, ...]:
    """The steps of a story."""
    steps = _file(name)["steps"]
    always = {"stage": True, "story": name}
    return tuple(
        Step(step["say"], Target(step["page"], {**step["link"], **always, "step": number}))
        for number, step in enumerate(steps, start=1)
    )


def menu(go: Callable[[Target], None]) -> None:
    """Every story behind a button, to start it on the stage."""
    with st.container(key="stories", width="content"), st.popover("Stories", icon=":material/auto_stories:", type="tertiary"):
        for name in names():
            st.button(_file(name)["title"], key=f"start-{name}", on_click=go, args=[read(name)[0].target], width="stretch")
        st.caption("Left and Right walk through a story, Esc leaves the stage.")


def place(steps: tuple[Step, ...]) -> int:
    """Which step the link shows, counted from 0."""
    asked = st.query_params.get("step", "1")
    return min(max(int(asked), 1), len(steps)) - 1 if asked.isdecimal() and len(asked) < 4 else 0


def code(target: Target) -> None:
    """A code of the link for the phones in the room, drawn here."""
    import segno

    address = st.context.url or ""
    picture = BytesIO()
    base = address.split("?")[0].rstrip("/").rsplit("/", 1)[0]
    segno.make(f"{base}/{target.link}", micro=False).save(picture, kind="svg", scale=4, border=2, light="#FFFFFF")
    st.image(picture.getvalue().decode(), width=160)


def _file(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
