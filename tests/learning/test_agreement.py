"""Several people's answers come to one label, or to none."""

import pytest

from petiole.learning.agreement import Verdict, agree


@pytest.mark.parametrize(
    ("votes", "people", "share", "verdict"),
    [
        ("", 1, 0.51, Verdict()),
        ("a", 1, 0.51, Verdict("a")),
        ("a", 2, 0.51, Verdict()),
        ("aa", 2, 0.51, Verdict("a")),
        ("ab", 2, 0.51, Verdict(disputed=True)),
        ("ab", 2, 0.5, Verdict(disputed=True)),  # a tie is no label, whatever the share
        ("aab", 3, 0.66, Verdict("a")),
        ("aab", 3, 0.67, Verdict(disputed=True)),
        ("aab", 2, 1.0, Verdict(disputed=True)),
        ("abc", 3, 0.0, Verdict(disputed=True)),
        ("abb", 2, 0.6, Verdict("b")),  # the third settled it
    ],
)
def test_a_label_needs_its_share_and_the_most_votes(votes, people, share, verdict):
    assert agree(list(votes), people, share) == verdict
