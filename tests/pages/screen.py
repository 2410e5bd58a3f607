"""What a page says, as tests read it."""

import html
import re

from streamlit.testing.v1 import AppTest


def sound(app: AppTest) -> AppTest:
    """The page, which shows no error."""
    assert not app.exception
    assert not app.error
    assert not [element for element in app.subheader if element.value == "This page cannot be shown"]
    return app


def headline(app: AppTest) -> str:
    """The headline as it is read, without what keeps it from being Markdown."""
    return sound(app).header[0].value.replace("\\", "")


def notices(app: AppTest) -> list[str]:
    """The notice over the page, if there is one."""
    shown = [html.unescape(found[1]) for element in app.get("html") if (found := _NOTICE.search(element.proto.body))]
    assert len(shown) <= 1
    return shown


_NOTICE = re.compile('<p role="status">(.*?)</p>')
