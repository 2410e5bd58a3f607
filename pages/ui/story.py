"""Stories for the stage: files with a link and a sentence per step."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import streamlit as st

from pages.ui import links
from pages.ui.hosting import visitor
from pages.ui.links import Target
from qurd_core.errors import QurdError
from qurd_core.files import ASSETS, read_json

PARTS = ("story", "step")  # of a link; they belong to no control
AUTO = range(3, 121)  # seconds that a step may stay before the next one comes by itself
FOLDER = ASSETS / "stories"

# Of the parts of a link that one choice or step sets, Streamlit gives some an entry in the browser's history and some none.
# Here the first one has an entry and the others join it, so that Back undoes one choice, or goes to the step before. What
# comes after Back and before the next choice is the answer to an older one: it must not take the place gone back to.
_ONE_ENTRY = """
export default function () {
    if (history.folds) return;
    history.folds = true;
    const step = search => ['story', 'step'].map(key => new URLSearchParams(search).get(key)).join();
    const { pushState, replaceState } = history;
    let chosen = false, returned = false;
    for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, () => { chosen = true; returned = false; }, true);
    addEventListener('click', () => { returned = false; }, true);  // also of the next step that comes by itself
    addEventListener('popstate', () => { chosen = false; returned = true; }, true);
    history.pushState = history.replaceState = function (state, title, url) {
        const asked = new URL(url ?? location, location);
        if (asked.href === location.href) return replaceState.call(this, state, title, url);
        if (returned) return;
        const opens = chosen || step(location.search) !== step(asked.search);
        chosen = false;
        return (opens ? pushState : replaceState).call(this, state, title, url);
    };
}
"""


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        say: what the speaker says, in one sentence.
        target: the view, with the story and the number of the step.
    """

    say: str
    target: Target

    @property
    def plays(self) -> bool:
        """Whether its chart is played."""
        values = self.target.values
        return values.get("play") is True or values.get("act") == "play"


def names() -> list[str]:
    """The stories that are there and can be told."""
    return [name for name, wrong in _stories().items() if not wrong]


def _stories() -> dict[str, str | None]:
    """Every story with what is wrong with its file."""
    found = {}
    for name in sorted(path.stem for path in FOLDER.glob("*.json")):
        try:
            _file(name)
            found[name] = None
        except (OSError, QurdError) as error:
            found[name] = str(error)
    return found


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
    room = st.container(key="stories", width="content")
    with room, st.popover("Stories", icon=":material/auto_stories:", type="tertiary"):
        for name in names():
            st.button(_file(name)["title"], key=f"start-{name}", on_click=go, args=[read(name)[0].target], width="stretch")
        for wrong in filter(None, _stories().values()):
            st.caption(links.plain(wrong, 400))
        st.caption("Left and Right walk through a story, Esc leaves the stage.")


def asked() -> Step | None:
    """The step that the link shows: the first one where its number is none of the story."""
    name = st.query_params.get("story")
    if name not in names():
        return None
    steps = read(name)
    return {str(number): step for number, step in enumerate(steps, start=1)}.get(st.query_params.get("step"), steps[0])


def auto() -> int:
    """Seconds until the next step comes by itself; 0 where the link asks for none."""
    asked = st.query_params.get("auto")
    return int(asked) if asked in map(str, AUTO) else 0


def parts(target: Target) -> dict[str, str]:
    """What the link of a step keeps beside its controls."""
    own = {key: str(target.values[key]) for key in PARTS if key in target.values}
    return own | ({"auto": str(auto())} if own and auto() else {})


def follow() -> None:
    """Give a choice or a step one place in the browser's history, and note what the link asks of stories in vain."""
    st.components.v2.component("story_history", js=_ONE_ENTRY)(key="story_history")
    links.check("story", names(), "story")
    if (name := st.query_params.get("story")) in names():
        links.check("step", range(1, len(read(name)) + 1), "step")
    links.check("auto", AUTO, "number of seconds")


def code(target: Target) -> None:
    """A code of the link for the phones in the room, drawn here, unless only this machine could follow it."""
    address = st.context.url or ""
    if visitor.opens_here(address):
        return
    base = address.split("?")[0].rstrip("/").rsplit("/", 1)[0]
    with st.container(key="code"):
        st.image(drawn(f"{base}/{target.link}"), width=160)


def drawn(text: str) -> str:
    """A text as a code for phones: a picture in SVG."""
    import segno

    picture = BytesIO()
    segno.make(text, micro=False).save(picture, kind="svg", scale=4, border=2, light="#FFFFFF")
    return picture.getvalue().decode()


@cache
def _file(name: str) -> dict[str, Any]:
    return read_json(FOLDER / f"{name}.json")
