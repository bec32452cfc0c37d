"""What waits for others' servers is done side by side: a barrier that all must reach is passed."""

import threading
from pathlib import Path

import pytest

from pipeline.side_by_side import AT_ONCE_MAX, side_by_side
from tests.contract.folder_mailbox import FolderMailbox
from tests.unit.pipeline.receiving import World

PATIENCE_SECONDS = 20.0


def test_results_come_in_the_order_of_the_tasks_whatever_ends_first() -> None:
    second_done = threading.Event()

    def first() -> str:
        assert second_done.wait(PATIENCE_SECONDS)
        return "first"

    def second() -> str:
        second_done.set()
        return "second"

    assert side_by_side([first, second]) == ["first", "second"]


def test_all_end_before_one_s_failure_is_raised() -> None:
    ended: list[str] = []

    def fails() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        side_by_side([fails, lambda: ended.append("other")])
    assert ended == ["other"]


def test_one_alone_needs_no_thread() -> None:
    assert side_by_side([threading.current_thread]) == [threading.current_thread()]
    assert side_by_side([]) == []


def test_there_is_a_limit() -> None:
    meeting = threading.Barrier(AT_ONCE_MAX)
    at_once: set[int] = set()

    def meet() -> None:
        meeting.wait(PATIENCE_SECONDS)
        at_once.add(threading.get_ident())

    side_by_side([meet] * (2 * AT_ONCE_MAX))
    assert len(at_once) == AT_ONCE_MAX


def test_a_mailbox_is_looked_into_and_emptied_while_another_keeps_us_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    for partner in ("acme", "bolt"):
        world.partner(partner)
        world.put("a.edi", partner.encode(), partner)
    for call in ("listing", "fetch_many", "move_many"):
        meeting, plain = threading.Barrier(2), getattr(FolderMailbox, call)

        def together(*args: object, _meet=meeting, _plain=plain, **named: object) -> object:  # type: ignore[no-untyped-def]
            _meet.wait(PATIENCE_SECONDS)
            return _plain(*args, **named)

        monkeypatch.setattr(FolderMailbox, call, together)
    reports = world.receive_all(wait=False)
    assert [name for name, report in reports.items() if report.taken] == ["acme", "bolt"]
    assert sorted(content for _, _, content in world.shelf.contents) == [b"acme", b"bolt"]
