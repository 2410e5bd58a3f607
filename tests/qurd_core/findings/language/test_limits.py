"""Every page says what its benchmark rests on, and the sentence follows the tables."""

import pytest

from qurd_core.findings.language.limits import limits
from qurd_core.records import evidence, rate_records


@pytest.mark.parametrize("base", rate_records.SHIPPED)
def test_a_sentence_names_the_domain_the_networks_and_the_independent_victims(base):
    pairs, models = evidence.pairs(base), evidence.models(base)
    said = limits(base, pairs, models)
    assert said.startswith(f"What {base} rests on: one domain (")
    assert ("thousand weights" in said) == (base in rate_records.EMBEDDED)
    first = pairs[pairs["victim"] == pairs["victim"].iloc[0]]
    assert "1 independent victim." in limits(base, first, models)


def test_larger_networks_and_more_victims_are_said():
    pairs, models = evidence.pairs("patchwork-sac"), evidence.models("patchwork-sac")
    larger = limits("patchwork-sac", pairs, models.assign(parameters=7_000_000))
    assert "networks of 7000 to 7000 thousand weights, 3 independent victims" in larger
