"""Play: a scheme at work on two suspects, in place of the curves of the Budget page."""

from functools import partial

import plotly.graph_objects as go
import streamlit as st

from pages.ui import cached, controls, export, frame, states
from qurd_core import findings, plots
from qurd_core.findings.language import again
from qurd_core.findings.language.model_names import readable
from qurd_core.plots.drawing.theme import Style
from qurd_core.statistics.metrics import RULES, Rule
from qurd_core.views import play

SENT = (1, 10, 100)  # states that a talk stops at

# Plotly's buttons take no keys. Space plays and pauses unless something else has the focus.
_KEYS = """
export default function () {
    const on = event => {
        const busy = event.target.closest('input, button, textarea, a, [role=slider], [role=radio]');
        if (event.code !== 'Space' || busy) return;
        const chart = document.querySelector('.st-key-hero .js-plotly-plot');
        const buttons = chart?.querySelectorAll('.updatemenu-button');
        if (!buttons?.length) return;
        event.preventDefault();
        const plays = chart._transitionData?._animationRaf;
        buttons[plays ? 1 : 0].dispatchEvent(new MouseEvent('click', {bubbles: true}));
    };
    document.addEventListener('keydown', on);
    return () => document.removeEventListener('keydown', on);
}
"""

# Streamlit hands a chart to Plotly anew where its room changes, and Plotly then forgets what plays: neither Pause nor the
# end of the chart would stop it. So what was forgotten is stopped here, and goes on in a chart that is still there.
_LOOP = """
export default function () {
    let chart, loop;
    const stop = () => cancelAnimationFrame(loop?._animationRaf);
    const follow = () => {
        const drawn = document.querySelector('.st-key-hero .js-plotly-plot');
        if (drawn?._transitionData === loop) return;
        const plays = drawn === chart && loop?._animationRaf && loop._frameQueue.length;
        stop();
        if (plays) drawn.querySelector('.updatemenu-button')?.dispatchEvent(new MouseEvent('click', {bubbles: true}));
        [chart, loop] = [drawn, drawn?._transitionData];
    };
    const changes = new MutationObserver(follow);
    changes.observe(document.body, {childList: true, subtree: true});
    return () => { changes.disconnect(); stop(); };
}
"""


def _theft(victim: str, model: str) -> str:
    """A stolen model beside the menu of its victim, whose name need not be said again."""
    return readable(model).removeprefix(f"{victim} · ")


def show(bench: str, style: Style) -> None:
    """The whole view."""
    pairs = cached.pairs(bench)
    head = st.container()
    with st.container(key="controls"):
        places = st.columns([0.85, 1.6, 1.3, 2, 2.6, 0.7, 1.15], gap="small")
    with places[0]:
        scheme = controls.choose("Scheme", list(play.SEEDS), "by")
    with places[1]:
        rule = controls.rule()
    with places[2]:
        victim = controls.choose_model("Victim", pairs["victim"].unique().tolist(), "victim")
    kind = RULES[rule].kind
    trial = play.trial(cached.bank(bench), pairs, victim, scheme, rule=kind)
    if not len(trial.queries):
        states.not_drawn({scheme: f"{readable(victim)} classifies every test image correctly, so there is no query."})
        return
    usual = trial.pick()
    with places[3]:
        theft = partial(_theft, readable(victim))
        stolen = controls.choose_model("Stolen model", trial.named("positive"), "stolen", usual.stolen, theft)
    with places[4]:
        innocent = controls.choose_model(
            "Unrelated model", trial.named("negative") + trial.named("hard"), "innocent", usual.innocent
        )
    with places[5]:
        sent = controls.choose("Sent first", SENT, "sent")
    with places[6], st.container(height="stretch", vertical_alignment="bottom"):
        st.button(
            "Surprise me",
            on_click=_surprise,
            args=[trial.hardest],
            help="Take a hard unrelated model: an independent model trained on the victim's data",
        )
    duel = play.Duel(stolen, innocent)
    rows = trial.rows(duel)
    frame.finding(head, findings.play.headline(scheme, rows, sent), findings.play.subline(duel, trial, kind))
    file_name = f"play-{bench}-{scheme}"
    known = (again.call(f"evidence.{what}", bench) for what in ("bank", "pairs"))
    table = f"{again.call('play.trial', *known, victim, scheme, rule=kind)}.rows({again.call('play.Duel', *duel)})"
    code = again.code(table, "records.evidence", "views.play")
    export.offer(rows, file_name, again.Again("", code, again.NO_COMMAND))
    with frame.tall(wide=1080, high=450):
        figure = _figure(bench, victim, scheme, rule, duel, sent, style)
        export.chart(figure, "reel", file_name, style, findings.play.alt(rows))
    by_keys()


def by_keys() -> None:
    """Let Space play and pause the chart of the page, and have it play on where it is drawn anew."""
    with st.container(key="keys"):
        st.components.v2.component("play_keys", js=_KEYS)(key="space")
        st.components.v2.component("play_loop", js=_LOOP)(key="loop")


def _surprise(hardest: list[str]) -> None:
    """Take the unrelated model that is most like the victim; pressed again, the next one."""
    held = st.session_state["innocent"]
    st.session_state["innocent"] = hardest[(hardest.index(held) + 1) % len(hardest) if held in hardest else 0]


@cached.kept(8)
def _figure(bench: str, victim: str, scheme: str, rule: Rule, duel: play.Duel, sent: int, style: Style) -> go.Figure:
    """A few hundred kilobytes, which take longer to make than the rest of the page."""
    trial = play.trial(cached.bank(bench), cached.pairs(bench), victim, scheme, rule=RULES[rule].kind)
    pictures = [plots.play.tile(picture) for picture in trial.pictures()]
    return plots.play.figure(trial.rows(duel), pictures, sent=sent, style=style)
