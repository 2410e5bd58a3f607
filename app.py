"""The picture frame of QuRD Explorer: navigation, what all pages share, and the one place that turns errors into words."""

from pages.ui.hosting import ending, memory, uploading

ending.at_once()  # before what takes seconds to import: the server may be asked to end meanwhile
memory.give_back()
uploading.limit()

from pages.ui import frame  # noqa: E402
from qurd_core.errors import QurdError  # noqa: E402

page = frame.navigate()
frame.draw()
try:
    page.run()
except QurdError as error:
    frame.explain(error)
finally:
    frame.close()
