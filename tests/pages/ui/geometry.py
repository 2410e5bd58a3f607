"""What is wrong with the places of things on a page, as a browser draws them."""

from pathlib import Path

STAGES = ((1280, 720), (1440, 900), (1920, 1080))  # small projector, laptop, wall
PHONE = (390, 844)

# Gives one sentence per fault; `stage` says whether nothing may lie below the fold. Boxes are corners in clockwise order,
# because names above a chart may be turned. Letters are less high than their box, so boxes are lowered before they are
# compared with one another.
FAULTS = Path(__file__).with_suffix(".js").read_text("utf-8").partition("\n")[2]


def faults(page, *, stage: bool) -> list[str]:
    """Sentences about what overlaps, is cut, has no size or lies under something else; none if all is well.

    Args:
        page: of playwright.
        stage: whether everything must be in the window.
    """
    return page.evaluate(FAULTS, {"stage": stage})
