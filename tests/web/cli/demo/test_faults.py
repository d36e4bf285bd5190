"""Do faults begin when the control file says so, and do they do what they say?"""

import pytest

from web.cli.demo.classifier import read_corpus, train
from web.cli.demo.faults import FAULTS, Fault, FaultFile, Kind, damaged, inject


def test_without_a_file_nothing_is_wrong(tmp_path):
    assert FaultFile(None).current() == Fault()
    assert FaultFile(tmp_path / "absent").current() == Fault()


def test_a_running_worker_sees_each_fault_as_it_is_switched_on_and_off(tmp_path):
    path = tmp_path / "fault.json"
    watched = FaultFile(path)

    for kind in (Kind.LATENCY, Kind.ERRORS, Kind.NONE, Kind.CRASH):
        inject(path, FAULTS[kind])

        assert watched.current() == FAULTS[kind]


def test_a_damaged_model_raises_for_the_planned_part_of_real_texts_and_is_right_about_the_rest():
    corpus = read_corpus()
    sound = train(corpus)
    broken = damaged(sound, FAULTS[Kind.ERRORS].share)

    failed = 0
    for example in corpus:
        try:
            prediction = broken.predict(example.text)
        except IndexError:
            failed += 1
        else:
            assert prediction == sound.predict(example.text)

    assert 0.4 <= failed / len(corpus) <= 0.75


@pytest.mark.parametrize("text", ["charged twice", "the page never loads"])
def test_a_model_damaged_in_no_word_is_the_sound_one(text):
    sound = train(read_corpus())

    assert damaged(sound, 0.0) == sound
