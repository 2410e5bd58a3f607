"""What a score is worth: rules with a known false-alarm rate, p-values, intervals over models, fair comparisons."""

from qurd_core.statistics.audit import Audit, holdout_audit
from qurd_core.statistics.bootstrap import Bootstrap, node_bootstrap
from qurd_core.statistics.comparisons import Comparison, Verdict, compare
from qurd_core.statistics.paired import (
    benjamini_hochberg,
    holm,
    sign_flip,
    smallest_p,
    victims_needed,
    victims_to_decide,
)
from qurd_core.statistics.pvalues import PValue, Stratum, conformal_pvalue, stratum_pvalue
from qurd_core.statistics.report import TprReport, tpr_report
from qurd_core.statistics.rules import Kind, Rule, allowed_below, calibrated_rule, min_pool, refusal
from qurd_core.statistics.simultaneous import simultaneous
from qurd_core.statistics.verdicts import Verdict as SuspectVerdict
