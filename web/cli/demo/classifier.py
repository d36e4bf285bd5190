"""Which topic is a support ticket about? Multinomial naive Bayes with Laplace smoothing, trained from a text file."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parent / "data" / "corpus.tsv"

_WORD = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled line of text."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """The likeliest label, and its posterior probability (0…1)."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Classifier:
    """A trained model. `log_likelihoods` has one row per known word, in the order of `labels`."""

    labels: tuple[str, ...]
    log_priors: tuple[float, ...]
    log_likelihoods: Mapping[str, tuple[float, ...]]

    def predict(self, text: str) -> Prediction:
        """Words never seen in training say nothing about the label and are passed over."""
        rows = [self.log_likelihoods[word] for word in words(text) if word in self.log_likelihoods]
        scores = [prior + sum(row[index] for row in rows) for index, prior in enumerate(self.log_priors)]
        top = max(scores)
        best = scores.index(top)
        return Prediction(self.labels[best], 1 / sum(math.exp(score - top) for score in scores))


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def read_corpus(path: Path = CORPUS) -> tuple[Example, ...]:
    """The labelled lines of a file of `label<TAB>text`. Raises ValueError naming a line that is not one."""
    examples = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        label, tab, text = line.partition("\t")
        if not (label and tab and text):
            raise ValueError(f"{path.name}, line {number}: expected a label, a tab and a text")
        examples.append(Example(label, text))
    return tuple(examples)


def train(examples: Iterable[Example]) -> Classifier:
    """Count words by label. Raises ValueError when there is nothing to learn from."""
    lines: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = {}
    for example in examples:
        lines[example.label] += 1
        counts.setdefault(example.label, Counter()).update(words(example.text))
    if not lines:
        raise ValueError("a classifier needs at least one example")
    labels = tuple(sorted(lines))
    return Classifier(
        labels=labels,
        log_priors=tuple(math.log(lines[label] / lines.total()) for label in labels),
        log_likelihoods=_likelihoods([counts[label] for label in labels]),
    )


def _likelihoods(counts: list[Counter[str]]) -> dict[str, tuple[float, ...]]:
    """Laplace: every word of the vocabulary counts as seen once more under every label."""
    vocabulary = sorted(set().union(*counts))
    sizes = [each.total() + len(vocabulary) for each in counts]
    return {
        word: tuple(math.log((each[word] + 1) / size) for each, size in zip(counts, sizes, strict=True))
        for word in vocabulary
    }
