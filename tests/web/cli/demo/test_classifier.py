"""Is the demo's classifier a real one?"""

import pytest

from web.cli.demo.classifier import Example, read_corpus, train


def test_four_topics_have_at_least_sixty_lines_each_and_none_is_twice():
    corpus = read_corpus()

    labels = [example.label for example in corpus]

    assert {label: labels.count(label) >= 60 for label in labels} == {
        "billing": True,
        "outage": True,
        "how-to": True,
        "praise": True,
    }
    assert len({example.text.lower() for example in corpus}) == len(corpus)


@pytest.mark.parametrize("fold", range(5))
def test_lines_it_has_never_seen_are_mostly_labelled_right(fold):
    corpus = read_corpus()
    held_out = [example for number, example in enumerate(corpus) if number // 4 % 5 == fold]
    classifier = train(example for example in corpus if example not in held_out)

    right = [classifier.predict(example.text).label == example.label for example in held_out]

    assert sum(right) / len(right) >= 0.8


def test_confidence_is_the_posterior_of_the_winner():
    classifier = train([Example("a", "red red"), Example("b", "blue blue")])

    prediction = classifier.predict("red")

    # Laplace over the vocabulary {red, blue}: P(red|a) = 3/4, P(red|b) = 1/4, equal priors.
    assert prediction.label == "a"
    assert prediction.confidence == pytest.approx(0.75)


def test_a_text_of_unknown_words_is_labelled_by_the_priors_alone():
    classifier = train([Example("often", "x"), Example("often", "y"), Example("seldom", "z")])

    prediction = classifier.predict("quite unknown")

    assert prediction.label == "often"
    assert prediction.confidence == pytest.approx(2 / 3)


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(ValueError, match="at least one example"):
        train([])


def test_a_line_without_a_label_is_named(tmp_path):
    corpus = tmp_path / "corpus.tsv"
    corpus.write_text("billing\tan invoice\nno tab here\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"corpus\.tsv, line 2"):
        read_corpus(corpus)
