"""A table is uploaded, checked, measured and shown, in a browser; another one does not see it."""

import pytest

from qurd_core.records import rate_records
from tests.pages.test_browser import PATIENCE, browser, serving  # noqa: F401 (a fixture)
from tests.qurd_core.benchmarks.own.test_answer_table import answers

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def visitors(browser, tmp_path):  # noqa: F811
    """Opens pages of a server with an empty store, each in a browser of its own."""
    with serving(rate_records.FOLDER, tmp_path / "log", QURD_STORE=str(tmp_path / "store")) as address:

        def visit(query):
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(f"{address}/{query}")
            page.wait_for_selector("h2")
            return page

        yield visit


def bring(page, path):
    page.get_by_role("button", name="Bring").click()
    page.locator("input[type=file]").set_input_files(path)


def test_a_table_is_uploaded_measured_and_shown_and_its_link_says_its_name_alone(visitors, tmp_path):
    answers().to_csv(tmp_path / "answers.csv", index=False)
    page = visitors("benchmark")
    bring(page, tmp_path / "answers.csv")
    opens = page.get_by_role("button", name="Open own-")
    opens.click()
    page.wait_for_function("document.body.innerText.includes('Measuring own-')")
    page.wait_for_selector(".js-plotly-plot .main-svg")
    page.wait_for_function("!document.body.innerText.includes('Measuring own-')")
    assert "bench=own-" in page.url
    assert str(tmp_path) not in page.content()


def test_what_is_wrong_in_a_table_is_said_where_it_was_brought(visitors, tmp_path):
    (tmp_path / "wrong.csv").write_text("item,truth\n1,2\n")
    page = visitors("benchmark")
    bring(page, tmp_path / "wrong.csv")
    page.wait_for_function("document.body.innerText.includes('Expected')")
    assert page.get_by_role("button", name="Open own-").count() == 0
