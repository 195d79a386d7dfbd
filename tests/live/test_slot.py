"""One place for the newest."""

import threading

from vidgan.live.mailbox import Slot


def test_the_newest_takes_the_place_of_what_nobody_took() -> None:
    slot: Slot[int] = Slot()
    for value in (1, 2, 3):
        slot.put(value)
    assert slot.take(0) == 3 and slot.take(0) is None
    assert slot.dropped == 2


def test_what_was_put_last_is_still_there_after_the_end() -> None:
    slot: Slot[int] = Slot()
    slot.put(7)
    slot.close()
    assert list(slot) == [7]
    assert slot.closed and slot.take(60) is None


def test_a_waiting_taker_gets_what_comes_and_ends_when_nothing_more_will() -> None:
    slot: Slot[int] = Slot()
    taken: list[int] = []
    there = threading.Event()

    def take() -> None:
        for item in slot:
            taken.append(item)
            there.set()

    thread = threading.Thread(target=take)
    thread.start()
    slot.put(5)
    assert there.wait(60)
    slot.close()
    thread.join(60)
    assert taken == [5] and slot.dropped == 0 and not thread.is_alive()
