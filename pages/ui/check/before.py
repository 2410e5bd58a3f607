"""What the Check page shows before anybody is asked, and what computes its view again."""

import shlex
from typing import NoReturn

import streamlit as st
from pandas import DataFrame

from pages.ui import cached, export, frame, progress
from pages.ui.check.asking import Asked
from pages.ui.check.course import Course
from pages.ui.hosting import visitor
from pages.ui.links import plain
from qurd_core.findings.check import verdicts as words
from qurd_core.findings.language import again
from qurd_core.jobs.queue import Job
from qurd_core.records import evidence, rate_records
from qurd_core.views.check.checked import ENDING, Asks, agree

STEPS = (
    "The models of known origin answer first: they show how close independent models come.",
    "Then the question is sealed: victim, models, scheme, queries and level. Its number can be handed to a third party.",
    "Then the suspects are asked, a few queries at a time. Every answer is kept, and Cancel loses none.",
)


def nobody(head: st.delta_generator.DeltaGenerator, asked: Asked) -> NoReturn:
    """No suspect is chosen."""
    frame.finding(head, words.NOBODY, words.basis(asked.pool))
    steps()
    offer(asked)
    frame.stop()


def too_small(head: st.delta_generator.DeltaGenerator, asked: Asked) -> NoReturn:
    """There are too few unrelated lineages for a verdict, and the one thing to do."""
    frame.finding(head, words.too_small(asked.pool), words.why_too_small(asked.pool))
    base = evidence.base_of(asked.bench)
    with st.container(border=True):
        if base not in rate_records.SHIPPED and evidence.has_models(base):
            st.write("This command trains unrelated models on the pictures of your folder:")
            st.code(f"qurd forge FOLDER --victim {shlex.quote(asked.victim)} --out NEW", language="bash")
        elif base not in rate_records.SHIPPED:
            st.write("Add the answers of more unrelated models to your table, each trained on its own.")
        elif base != asked.bench:
            st.write(f"{plain(asked.bench)} keeps a part of the unrelated models. The whole benchmark has more:")
            st.button(f"Open {base}", type="primary", on_click=st.session_state.update, args=[{"bench": base}])
        else:
            st.write("Ask about fewer suspects at once: fewer questions need fewer unrelated models.")
    offer(asked)
    frame.stop()


def ready(asked: Asked) -> None:
    """Everything is chosen."""
    steps()
    if not asked.may_ask:
        st.caption(plain(visitor.no_api(), 300))
        return
    st.caption(plain(f"Nobody is asked before you press Check. {_sent(asked)}", 400))


def _sent(asked: Asked) -> str:
    easy, price = 100, ""
    if asked.remote:
        easy, price = 50, " What that costs is shown before a request leaves."
    return f"Each suspect gets {asked.budget} queries and up to {easy} easy images beside them.{price}"


def price(asked: Asked, course: Course) -> None:
    """What is about to be sent over a network, and the button that has it sent."""
    asks = course.asks
    with st.container(border=True):
        for one in asks:
            st.markdown(plain(words.asks(one), 600))
        st.caption("Nothing was sent yet. Each answer is kept before the next request leaves, so none is paid for twice.")
        if asked.may_ask:
            st.button("Send them", type="primary", key="send-check", on_click=_send, args=[course.job, asks])
        else:
            st.caption(plain(visitor.no_api(), 300))


def _send(job: Job, asks: tuple[Asks, ...]) -> None:
    """Agree, and have the rest of the question asked: a callback."""
    if visitor.asks_apis():
        agree(cached.jobs().result(job.key, ENDING).with_suffix(""), asks)
        progress.ask(job, anew=True)


def steps() -> None:
    """What will happen, in its order."""
    with st.container(border=True):
        for number, step in enumerate(STEPS, 1):
            st.markdown(f"{number}. {step}")


def offer(asked: Asked, course: Course | None = None) -> None:
    """Definitions, and the data with what gives them again."""
    checked = course.checked if course else None
    export.offer(lambda: _data(asked, checked), f"check-{asked.bench}", _again(asked))


def _data(asked: Asked, checked: object) -> DataFrame:
    """The models with their scores, once there are some; before that those that would be asked."""
    if checked is not None and len(checked.models):
        return checked.models
    pairs = cached.pairs(asked.bench)
    return pairs.loc[pairs["victim"] == asked.victim, ["suspect", "kind", "root"]]


def _again(asked: Asked) -> again.Again:
    """The command and the call that ask the same."""
    if not asked.suspects:
        return again.Again("", "", "Choose a suspect: then this menu has the command that asks the same.")
    parts = [f"python -m qurd_core check {shlex.quote(asked.bench)}", f"--victim {shlex.quote(asked.victim)}"]
    parts += [f"--suspect {shlex.quote(name)}" for name in asked.suspects]
    parts += [f"--scheme {shlex.quote(asked.scheme)} --budget {asked.budget} --stop {asked.stop} --evidence case.zip"]
    how = {"scheme": asked.scheme, "budget": asked.budget, "stop": asked.stop}
    call = again.call("q.check", asked.bench, victim=asked.victim, suspects=list(asked.suspects), **how)
    return again.Again(" \\\n  ".join(parts), f"import qurd_core as q\n\ntable = {call}.table")
