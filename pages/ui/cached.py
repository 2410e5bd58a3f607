"""Cheap reads of the records, kept between reruns and shared by sessions. What they return must not be changed."""

from typing import TYPE_CHECKING

import streamlit as st

from qurd_core.evaluation import records
from qurd_core.plots import budget

if TYPE_CHECKING:
    from pandas import DataFrame


def tasks(benchmark: str) -> list[str]:
    """The recorded tasks of a benchmark."""
    return _tasks(benchmark, _version(benchmark))


def curves(benchmark: str, task: str, *, hard: bool, rule: budget.Rule) -> "DataFrame":
    """Every combination at every budget."""
    return _curves(benchmark, task, "unrelated+hard" if hard else "unrelated", rule, _version(benchmark))


def _version(benchmark: str) -> tuple[str, float]:
    """Changes when the records do, so that new ones are seen without a restart."""
    path = records.path_of(benchmark)
    return str(path), path.stat().st_mtime if path.is_file() else 0.0


@st.cache_resource(max_entries=16, show_spinner=False)
def _tasks(benchmark: str, version: tuple[str, float]) -> list[str]:
    return records.tasks(benchmark)


@st.cache_resource(max_entries=24, show_spinner=False)
def _curves(benchmark: str, task: str, negatives: str, rule: budget.Rule, version: tuple[str, float]) -> "DataFrame":
    return budget.curves(records.read(benchmark, task=task, negatives=negatives), rule)
