"""Is this model mine? Suspects against a victim, with a verdict that can be quoted and evidence that can be verified."""

import streamlit as st

from pages.ui import frame, progress, states
from pages.ui.check import asking, before, course, duel, verdict
from qurd_core.findings.check import verdicts as words
from qurd_core.records import evidence, rate_records

frame.require()
bench, style = frame.view()
if evidence.base_of(bench) in rate_records.PUBLISHED:
    states.scores_only(evidence.base_of(bench), "A check sends queries to models")

head = st.container()
asked = asking.choose(bench)
if not asked.suspects:
    before.nobody(head, asked)
if not asked.pool.may_tell:
    before.too_small(head, asked)

now = course.follow(asked)
if evidence.base_of(bench) in rate_records.EMBEDDED:  # whose models cost nothing to ask
    progress.warm_up(bench)
before.offer(asked, now)
if duel.fits(asked, now):
    duel.show(head, asked, now, style)
    frame.stop()
if now.done:
    about = words.subline(now.checked) + " · recorded answers that ship with the program" * now.ships
    frame.finding(head, words.headline(now.checked), about)
elif now.status and now.status.state == "cancelled":
    known, of, sent = course.sent(now, asked)
    frame.finding(head, words.stopped(sent, asked.budget, now.checked), words.kept(sent, asked.budget))
else:
    frame.finding(head, words.question(asked.victim, asked.suspects, asked.pool), words.basis(asked.pool))

if now.active:
    course.wait(now, asked)
    if now.checked is None:
        before.steps()
elif now.status and now.status.state == "failed":
    course.trouble(now, asked)
elif now.status and now.status.state == "cancelled":
    course.again(now, asked, "Go on")
elif now.asks:
    before.price(asked, now)
elif not now.done:
    before.ready(asked)

if now.checked is not None and len(now.checked.models):
    side = None
    if now.done and not style.stage:
        hero, side = st.columns(verdict.BESIDE, gap="medium")
    else:
        hero = st.container()
    below = st.container()
    if side:
        with side:
            verdict.panel(asked, now)
        if len(now.checked.suspects) > 1:
            with below:
                verdict.table(now.checked)
    with hero:
        verdict.chart(asked, now.checked, style)
