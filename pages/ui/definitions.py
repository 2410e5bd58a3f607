"""What the words on screen mean, one click away, and the pages that say more: the files of `assets/docs`."""

import re

import streamlit as st

from qurd_core.errors import QurdError
from qurd_core.files import ASSETS, checked

FOLDER = ASSETS / "docs"
FIRST = "definitions"


def pages() -> list[str]:
    """The pages, by their names in links."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def text(name: str) -> str:
    """A page as Markdown, in which the links to other pages lead to these in the app.

    Raises:
        QurdError: it was altered.
    """
    return re.sub(r"\]\(([a-z-]+)\.md\)", r"](docs?doc=\1)", checked(FOLDER / f"{name}.md").decode())


def show() -> None:
    """The definitions behind a button, without their title. Their links open a tab, so that the view stays."""
    with st.popover("Definitions", icon=":material/menu_book:", type="tertiary"):
        try:
            st.markdown(text(FIRST).partition("\n")[2])
        except (OSError, QurdError) as error:  # for which no page need fall
            st.text(str(error))
