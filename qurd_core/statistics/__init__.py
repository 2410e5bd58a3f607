"""What a score is worth: rules with a known false-alarm rate, p-values, intervals over models, fair comparisons."""

from qurd_core.statistics.audit import Audit, holdout_audit
from qurd_core.statistics.bootstrap import Bootstrap, node_bootstrap
from qurd_core.statistics.comparisons import Comparison, Verdict, compare
from qurd_core.statistics.intervals import clopper_pearson
from qurd_core.statistics.paired import (
    DeLong,
    VictimsNeeded,
    benjamini_hochberg,
    delong_paired,
    holm,
    sign_flip,
    smallest_p,
    victims_needed,
    victims_to_decide,
)
from qurd_core.statistics.pvalues import PValue, Stratum, conformal_pvalue, stratum_pvalue
from qurd_core.statistics.report import TprReport, reports, tpr_report
from qurd_core.statistics.rules import Kind, Rule, allowed_below, calibrated_rule, min_pool, refusal
from qurd_core.statistics.simultaneous import simultaneous
from qurd_core.statistics.verdicts import SuspectVerdict, verdicts

__all__ = [
    "Audit",
    "Bootstrap",
    "Comparison",
    "DeLong",
    "Kind",
    "PValue",
    "Rule",
    "Stratum",
    "SuspectVerdict",
    "TprReport",
    "Verdict",
    "VictimsNeeded",
    "allowed_below",
    "benjamini_hochberg",
    "calibrated_rule",
    "clopper_pearson",
    "compare",
    "conformal_pvalue",
    "delong_paired",
    "holdout_audit",
    "holm",
    "min_pool",
    "node_bootstrap",
    "refusal",
    "reports",
    "sign_flip",
    "simultaneous",
    "smallest_p",
    "stratum_pvalue",
    "tpr_report",
    "verdicts",
    "victims_needed",
    "victims_to_decide",
]
