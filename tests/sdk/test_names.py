import re

from hypothesis import given
from hypothesis import strategies as st

from throwbar.names import LONGEST, sendable

UNSENDABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
LETTERS = st.characters() | st.sampled_from("\x00\x1f \x7e\x7f\x80\ud7ff\ud800\udfff\ue000")


@given(st.text(LETTERS, max_size=LONGEST + 1))
def test_a_name_without_control_characters_and_halves_of_pairs_can_be_sent(name):
    assert sendable(name) == (0 < len(name) <= LONGEST and not UNSENDABLE.search(name))
