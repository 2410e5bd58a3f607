"""The picture frame of QuRD Explorer: navigation, what all pages share, and the one place that turns errors into words."""

from pages.ui import frame
from qurd_core.errors import QurdError

page = frame.navigate()
frame.draw()
try:
    page.run()
except QurdError as error:
    frame.explain(error)
finally:
    frame.close()
