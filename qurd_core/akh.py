"""The Anna Karenina Heuristic: ask the suspect what the victim gets wrong, and flag it if it errs alike.

Proposition 1 of the paper and what follows from it: the distances delta and delta_C between two models, and a test that may
look after every answer. h is the victim, h' the suspect, c the truth; a negative input is one that h gets wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qurd_core.errors import QurdError

if TYPE_CHECKING:  # only methods of tensors are used: whoever reads recorded counts need not wait for torch
    from torch import Tensor

Number = float | NDArray[np.float64]

_BETS = 200  # sizes of bets that share the wealth; any number is valid, more follow the prior more closely


@dataclass(frozen=True)
class Deltas:
    """What Proposition 1 is about, for one suspect (numbers) or for M suspects (arrays (M,)).

    Attributes:
        alpha: accuracy of the victim, P(h = c).
        alpha_p: accuracy of the suspect, P(h' = c).
        delta: P(h != h'), the relative Hamming distance.
        delta_c: P(h != h' | h != c), the chance that one negative query clears the suspect.
        rho: P(h' != c | h != c), exactly the slack `delta_c - bound`.
        bound: the proposition's lower bound of delta_c, (delta - (1 - alpha')) / (1 - alpha); says nothing where <= 0.
    """

    alpha: Number
    alpha_p: Number
    delta: Number
    delta_c: Number
    rho: Number
    bound: Number

    @property
    def columns(self) -> dict[str, Number]:
        """What tables of pairs hold of it."""
        return {
            "accuracy_victim": self.alpha,
            "accuracy_suspect": self.alpha_p,
            "delta": self.delta,
            "delta_c": self.delta_c,
            "bound": self.bound,
            "slack": self.rho,
        }


def counts_to_deltas(counts: ArrayLike) -> Deltas:
    """The quantities of Proposition 1 from counts of images.

    Args:
        counts: (...,2,2,2) `counts[a][b][c]` images with a = 1 iff h = h', b = 1 iff h is right, c = 1 iff h' is right.

    Raises:
        QurdError: the counts are no counts of this kind, or the victim makes no mistake.
    """
    counts = np.asarray(counts)
    if counts.shape[-3:] != (2, 2, 2) or (counts < 0).any():
        raise QurdError(f"Expected counts (...,2,2,2), not negative. Got the shape {counts.shape}.")
    # Two models that agree are right together, and two that are right agree.
    if counts[..., 1, 0, 1].any() or counts[..., 1, 1, 0].any() or counts[..., 0, 1, 1].any():
        raise QurdError(
            "Expected counts[a][b][c] with a: the models agree, b: the victim is right, c: the suspect is right."
        )
    total = counts.sum(axis=(-3, -2, -1))
    wrong = counts[..., :, 0, :].sum(axis=(-2, -1))
    if (wrong == 0).any():
        raise QurdError(
            "delta_C needs images that the victim gets wrong. It is right on all of them: use more or harder ones."
        )
    right = total - wrong
    suspect_right = counts[..., 1].sum(axis=(-2, -1))
    suspect_wrong = total - suspect_right
    differ = counts[..., 0, :, :].sum(axis=(-2, -1))
    # Whole numbers as long as possible, so that the identity delta_c - bound = rho holds to the last digit but one.
    return Deltas(
        alpha=right / total,
        alpha_p=suspect_right / total,
        delta=differ / total,
        delta_c=counts[..., 0, 0, :].sum(axis=-1) / wrong,
        rho=counts[..., :, 0, 0].sum(axis=-1) / wrong,
        bound=(differ - suspect_wrong) / wrong,
    )


def official(delta_c: Number, alpha: Number) -> Number:
    """What the authors' toolbox calls the conditioned Hamming distance: the numerator of delta_C over the victim's accuracy.

    delta_C divides by the error rate 1 - alpha, so this is delta_C (1-alpha)/alpha. It ranks the suspects of one victim as
    delta_C does, and puts every victim on a scale of its own.
    """
    return delta_c * (1 - alpha) / alpha


def deltas(victim_labels: Tensor, suspect_labels: Tensor, truth: Tensor) -> Deltas:
    """The quantities of Proposition 1 for all suspects at once.

    Args:
        victim_labels: (n,) answers of the victim.
        suspect_labels: (M,n) answers of the suspects on the same images.
        truth: (n,) classes of the images.

    Returns:
        `Deltas` of arrays (M,).

    Raises:
        QurdError: lengths differ, or the victim makes no mistake on these images.
    """
    n = len(truth)
    if victim_labels.shape != (n,) or suspect_labels.ndim != 2 or suspect_labels.shape[1] != n:
        raise QurdError(
            f"Expected labels (n,) of the victim, (M,n) of the suspects and (n,) of the truth. "
            f"Got {tuple(victim_labels.shape)}, {tuple(suspect_labels.shape)} and {tuple(truth.shape)}."
        )
    agree, right, suspect_right = suspect_labels == victim_labels, victim_labels == truth, suspect_labels == truth
    cell = 4 * agree.int() + 2 * right.int() + suspect_right.int()
    counts = [(cell == number).sum(1).cpu().numpy() for number in range(8)]
    return counts_to_deltas(np.stack(counts, axis=-1).reshape(-1, 2, 2, 2))


def total_false_alarm(n: int, k: int, alpha_seq: float) -> float:
    """The false alarms of a sequential test whose p0 comes from a pool: (k+1)/(n+1) + alpha_seq, and at most 1.

    An innocent model agrees more often than all but the k most agreeing of n unrelated ones with chance at most (k+1)/(n+1);
    if it does not, the test errs with chance at most alpha_seq. Show this sum, never alpha_seq alone.

    Args:
        n: unrelated models in the pool.
        k: how many of them agree more often than p0, which is the (k+1)-th largest rate of the pool.
        alpha_seq: level of the sequential test.
    """
    if not 0 <= k < n or not 0 <= alpha_seq <= 1:
        raise QurdError(f"Expected k from 0 to n - 1, and alpha_seq from 0 to 1. Got n={n}, k={k}, alpha_seq={alpha_seq}.")
    return min(1.0, (k + 1) / (n + 1) + alpha_seq)


def log_e_value(agreements: ArrayLike, queries: ArrayLike, p0: float, prior: tuple[float, float] = (1, 1)) -> Number:
    """Log of the evidence against "agrees with chance at most p0", for queries drawn independently; any shape.

    A likelihood ratio of q to p0 has mean at most 1 for every chance up to p0, if q > p0. This is their mixture over
    q ~ Beta(prior) truncated to (p0, 1], in closed form.
    """
    from scipy.special import betaincc, betaln

    _check_null(p0, prior)
    hits, misses, (a, b) = np.asarray(agreements, float), np.asarray(queries, float) - np.asarray(agreements, float), prior
    with np.errstate(divide="ignore"):  # far below p0 the mixture vanishes: no evidence at all
        kept = np.log(betaincc(a + hits, b + misses, p0)) - np.log(betaincc(a, b, p0))
    found = betaln(a + hits, b + misses) - betaln(a, b) + kept - hits * math.log(p0) - misses * math.log1p(-p0)
    return found if found.ndim else float(found)


class EProcess:
    """Evidence, query after query, that a suspect agrees with the victim more often than an innocent model could.

    Whoever watches may look after every answer and stop whenever they like: for an innocent suspect the evidence E ever
    reaches 1/alpha with chance at most alpha (Ville 1939; Waudby-Smith and Ramdas 2024 without replacement).

    Args:
        p0: the chance of agreement that an innocent model may have, usually an order statistic of a pool. Where it comes
            from has its own false alarms: see `total_false_alarm`.
        prior: Beta parameters of the bets on the chance of agreement of a stolen model, truncated to (p0, 1].
        pool_size: negative inputs that the queries are drawn from without repetition, if they are.

    Attributes:
        queries, agreements: so far.
        log_e, largest_log_e: logarithm of the evidence now, and at its largest so far.
        method, assumptions: what is done and what it rests on, in words.
    """

    assumptions = (
        "p0 is no lower than the chance of agreement of an unrelated model: the false alarms of its choice are added.",
        "The queries are drawn at random from the victim's errors, and a missing answer counts as disagreement.",
    )

    def __init__(self, p0: float, prior: tuple[float, float] = (1, 1), pool_size: int | None = None):
        _check_null(p0, prior)
        if pool_size is not None and pool_size < 1:
            raise QurdError(f"Expected a pool of at least one negative input. Got {pool_size}.")
        self.p0, self.prior, self.pool_size = p0, prior, pool_size
        drawn = "drawn independently" if pool_size is None else f"from {pool_size} negative inputs without repetition"
        self.method = f"Betting e-process against at most {p0:g} agreement, queries {drawn}; valid whenever one stops."
        self.queries = self.agreements = 0
        self.log_e = self.largest_log_e = 0.0
        self._bets, self._log_wealth = (None, None) if pool_size is None else _bets(p0, prior)

    def update(self, agrees: bool) -> float:
        """Take one more answer into account.

        Returns:
            the logarithm of the evidence.

        Raises:
            QurdError: all inputs of the pool were used already.
        """
        if self.pool_size is None:
            self.queries, self.agreements = self.queries + 1, self.agreements + bool(agrees)
            self.log_e = float(log_e_value(self.agreements, self.queries, self.p0, self.prior))
        else:
            self.log_e = self._bet(bool(agrees))
        self.largest_log_e = max(self.largest_log_e, self.log_e)
        return self.log_e

    @property
    def anytime_p(self) -> float:
        """A p-value that stays valid however often one looked: 1 over the largest evidence so far, and at most 1."""
        return math.exp(-self.largest_log_e)

    def decide(self, alpha: float = 0.05) -> bool:
        """Whether the evidence ever reached 1/alpha. False clears nobody: it means that the answers tell too little yet."""
        if not 0 < alpha < 1:
            raise QurdError(f"Expected 'alpha' between 0 and 1, both excluded. Got {alpha}.")
        return self.largest_log_e >= -math.log(alpha) - 1e-12

    def _bet(self, agrees: bool) -> float:
        left = self.pool_size - self.queries
        if not left:
            raise QurdError(f"Expected at most {self.pool_size} queries, the size of the pool. Draw from a larger pool.")
        # At most floor(N p0) inputs of the pool agree if the suspect is innocent; these are left of them.
        allowed = math.floor(self.pool_size * self.p0 + 1e-9) - self.agreements
        self.queries, self.agreements = self.queries + 1, self.agreements + agrees
        if allowed < agrees:
            self._log_wealth = np.full_like(self._log_wealth, np.inf)
        elif 0 < allowed < left:  # else the next answer is certain, or any answer is allowed: nothing to bet on
            chance = allowed / left
            self._log_wealth = self._log_wealth + np.log1p(self._bets * (1 / chance - 1) if agrees else -self._bets)
        top = self._log_wealth.max()
        return float(top if np.isinf(top) else top + np.log(np.exp(self._log_wealth - top).sum()))


def _bets(p0: float, prior: tuple[float, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares g of the wealth to bet, and the log of the wealth behind each. Betting g is betting on q = p0 + g (1 - p0)."""
    nodes, weights = np.polynomial.legendre.leggauss(_BETS)
    bets = (nodes + 1) / 2
    chance, (a, b) = p0 + bets * (1 - p0), prior
    log_density = (a - 1) * np.log(chance) + (b - 1) * np.log1p(-chance)
    wealth = weights * np.exp(log_density - log_density.max())
    return bets, np.log(wealth / wealth.sum())


def _check_null(p0: float, prior: tuple[float, float]) -> None:
    if not 0 < p0 < 1 or len(prior) != 2 or not min(prior) > 0:
        raise QurdError(f"Expected p0 between 0 and 1, both excluded, and two positive prior numbers. Got {p0} and {prior}.")
