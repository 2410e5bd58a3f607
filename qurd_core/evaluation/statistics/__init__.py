"""What a score is worth: rules with a known false-alarm rate, p-values and exact intervals."""

from qurd_core.evaluation.statistics.intervals import clopper_pearson
from qurd_core.evaluation.statistics.pvalues import PValue, conformal_pvalue
from qurd_core.evaluation.statistics.rules import Kind, Rule, allowed_below, calibrated_rule, min_pool, refusal

__all__ = [
    "Kind",
    "PValue",
    "Rule",
    "allowed_below",
    "calibrated_rule",
    "clopper_pearson",
    "conformal_pvalue",
    "min_pool",
    "refusal",
]
