import pytest

from analytics_assets.extract.paging.proof import IncompleteReadError
from analytics_assets_tests.extract.paging.proof.passes import (
    Rows,
    another_pass,
    answer,
    proof_of,
    rows,
)


def test_as_many_rows_as_the_total_says_are_complete() -> None:
    proof = proof_of((rows(1, 2), 3), (rows(3), 3))

    assert proof.ends()
    assert (proof.received, proof.total, proof.number, proof.inconsistency) == (3, 3, 1, "")


def test_no_rows_of_a_total_of_none_are_complete() -> None:
    assert proof_of(([], 0)).ends()
    assert proof_of(([], None)).ends()
    assert proof_of().ends()


@pytest.mark.parametrize("said", [0, 2, 4])
def test_more_or_fewer_rows_than_the_total_says_are_to_be_read_again(said: int) -> None:
    assert not proof_of((rows(1, 2), said), (rows(3), said)).ends()


def test_a_total_that_does_not_count_is_no_trouble() -> None:
    assert proof_of((rows(1, 2), 9)).ends(counted=False)


def test_pages_without_a_total_leave_the_one_that_came() -> None:
    assert not proof_of((rows(1, 2), None), (rows(3), 5), (rows(4), None)).ends()
    assert proof_of((rows(1, 2), None), (rows(3), 3), ([], None)).ends()


def test_a_total_that_changes_is_trouble_even_if_it_changes_to_what_arrived() -> None:
    proof = proof_of((rows(1, 2), 4), (rows(3), 3))

    assert proof.inconsistency == "its total changed from 4 to 3 while it was read"
    assert not proof.ends()


def test_a_total_that_changes_back_is_trouble_too() -> None:
    assert not proof_of((rows(1), 3), (rows(2), 4), (rows(3), 3)).ends()


def test_a_row_on_two_pages_means_that_another_may_be_on_none() -> None:
    proof = proof_of((rows(1, 2), 4), (rows(2, 3), 4))

    assert not proof.ends()
    assert proof.inconsistency.startswith("1 row was on two pages")
    assert proof.duplicates.rows == 1
    assert list(proof.duplicates.places.values()) == [[1, 2]]


def test_a_row_twice_on_one_page_is_the_apis_own() -> None:
    proof = proof_of((rows(1, 2, 2), 4), (rows(3), 4))

    assert proof.ends()
    assert proof.duplicates.rows == 1
    assert list(proof.duplicates.places.values()) == [[1, 2]]


def test_a_row_that_was_restated_between_two_pages_is_compared_with_another_pass() -> None:
    pages = (rows(1, 2), 4), (rows(2, text="new") + rows(3), 4)
    proof = proof_of(*pages)

    assert not proof.ends()
    proof.begin()
    assert another_pass(proof, *pages).ends()
    assert proof.number == 2


def test_a_restated_row_that_differs_in_another_pass_needs_a_third_pass() -> None:
    proof = proof_of((rows(1, 2), 4), (rows(2, text="new") + rows(3), 4))
    assert not proof.ends()

    proof.begin()
    another_pass(proof, (rows(1) + rows(2, text="new"), 4), (rows(2, text="newest") + rows(3), 4))
    assert not proof.ends()

    proof.begin()
    assert another_pass(proof, (rows(1, 2), 4), (rows(3, 4), 4)).ends()


def test_the_rows_of_the_page_before_are_refused_at_once() -> None:
    proof = proof_of((rows(1, 2), 4))

    with pytest.raises(IncompleteReadError, match="orders: the page at offset 2 has the rows of"):
        proof.add(answer(rows(1, 2)), 4)


def test_the_rows_of_the_page_before_are_known_by_their_key_although_they_were_restated() -> None:
    proof = proof_of((rows(1, 2, at="09:00"), 4))

    assert proof.repeats(answer(rows(1, 2, at="09:01")))
    assert not proof.repeats(answer(rows(2, 1)))
    assert not proof.repeats(answer(rows(1)))


def test_an_empty_page_repeats_nothing() -> None:
    proof = proof_of(([], 0), ([], 0))

    assert not proof.repeats(answer([]))
    assert proof.ends()


def test_an_empty_page_between_does_not_hide_a_repetition() -> None:
    proof = proof_of((rows(1, 2), 4), ([], 4))

    assert proof.repeats(answer(rows(1, 2)))


@pytest.mark.parametrize("key", [("id",), ()])
def test_pages_that_come_again_in_a_circle_end_the_pass(key: tuple[str, ...]) -> None:
    proof = proof_of((rows(1, 2), None), (rows(3, 4), None), key=key, passes=1)
    proof.add(answer(rows(1, 2)), None)

    assert proof.inconsistency == "all rows at offset 4 had come before"
    with pytest.raises(IncompleteReadError, match="all rows at offset 4 had come before"):
        proof.ends()


@pytest.mark.parametrize("total", [4, None])
def test_a_last_page_may_have_new_values_of_earlier_rows_alone(total: int | None) -> None:
    pages = [(rows(1, 2), total), (rows(3), total), (rows(2, at="09:01"), total)]
    proof = proof_of(*pages)

    assert (proof.inconsistency, proof.ends()) == ("", False)  # until another pass agrees
    proof.begin()
    assert another_pass(proof, *pages, ([], total)).ends()


def test_a_last_page_with_the_values_of_earlier_rows_is_no_end() -> None:
    proof = proof_of((rows(1, 2), 4), (rows(3), 4), (rows(2), 4))

    assert not proof.ends()
    assert proof.inconsistency.startswith("1 row was on two pages")


def test_another_pass_starts_from_nothing() -> None:
    proof = proof_of((rows(1, 2), 4), (rows(2), 5))

    proof.begin()

    assert (proof.received, proof.total, proof.inconsistency) == (0, None, "")
    assert another_pass(proof, (rows(1, 2), 2)).ends()


def test_after_the_last_pass_the_error_says_what_was_wrong_and_what_to_do() -> None:
    proof = proof_of((rows(1, 2), 3), passes=2)
    assert not proof.ends()
    proof.begin()
    another_pass(proof, (rows(1, 2), 3))

    with pytest.raises(IncompleteReadError) as refusal:
        proof.ends()

    assert str(refusal.value).startswith("orders: no complete read in 2 passes: the rows that")
    assert "Expected 3 rows, received 2" in str(refusal.value)
    assert "`reading.passes`" in str(refusal.value)


def test_without_a_total_the_error_calls_it_unknown() -> None:
    with pytest.raises(IncompleteReadError, match="Expected unknown rows, received 4"):
        proof_of((rows(1, 2), None), (rows(2, 3), None), passes=1).ends()


def test_a_read_to_be_confirmed_takes_two_passes_that_agree() -> None:
    proof = proof_of((rows(1, 2), 2), confirm=True)
    assert not proof.ends()
    assert proof.inconsistency == "two passes did not bring the same rows"

    proof.begin()
    assert another_pass(proof, (rows(1, 2), 2)).ends()


@pytest.mark.parametrize("other", [rows(1, 3), rows(1, 2, text="new"), rows(1), rows(1, 2, 3)])
def test_a_read_is_not_confirmed_by_a_pass_with_other_rows(other: Rows) -> None:
    proof = proof_of((rows(1, 2), 2), confirm=True)
    assert not proof.ends()

    proof.begin()
    assert not another_pass(proof, (other, len(other))).ends()
    proof.begin()
    assert another_pass(proof, (other, len(other))).ends()


def test_two_passes_may_agree_on_no_rows_at_all() -> None:
    proof = proof_of(([], 0), confirm=True)
    assert not proof.ends()

    proof.begin()
    assert another_pass(proof, ([], 0)).ends()


def test_rows_are_confirmed_whatever_page_they_are_on() -> None:
    proof = proof_of((rows(1, 2), 3), (rows(3), 3), confirm=True)
    assert not proof.ends()

    proof.begin()
    assert another_pass(proof, (rows(1), 3), (rows(2, 3), 3)).ends()


def test_without_a_key_single_rows_are_not_compared() -> None:
    assert proof_of((rows(1, 2), 4), (rows(2, 3), 4), key=()).ends()


def test_without_a_key_whole_pages_are_compared() -> None:
    proof = proof_of((rows(1, 2), None), key=())

    assert proof.repeats(answer(rows(1, 2)))
    assert not proof.repeats(answer(rows(1, 2, text="new")))


def test_rows_are_distinguished_by_all_parts_of_their_key() -> None:
    first, second = rows(1, 2, day="Monday"), rows(2, 3, day="Tuesday")

    assert proof_of((first, 4), (second, 4), key=("id", "day")).ends()
    assert not proof_of((first, 4), (second, 4), key=("id",)).ends()
    assert not proof_of((first, 4), (first[1:] + second, 5), key=("id", "day")).ends()


def test_pages_whose_keys_have_the_same_hash_in_python_are_two_pages() -> None:
    assert hash((-1,)) == hash((-2,))
    assert proof_of((rows(-1), 2), (rows(-2), 2)).ends()
