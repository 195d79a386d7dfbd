"""The latest-value mailbox."""

import threading

from vidgan.live.mailbox import Mailbox


def test_newer_item_replaces_the_older() -> None:
    mailbox: Mailbox[int] = Mailbox()
    for value in (1, 2, 3):
        mailbox.put(value)
    assert mailbox.take(0) == 3 and mailbox.take(0) is None
    assert mailbox.dropped == 2


def test_last_item_remains_after_closing() -> None:
    mailbox: Mailbox[int] = Mailbox()
    mailbox.put(7)
    mailbox.close()
    assert list(mailbox) == [7]
    assert mailbox.closed and mailbox.take(60) is None


def test_iteration_ends_with_closing() -> None:
    mailbox: Mailbox[int] = Mailbox()
    taken: list[int] = []
    there = threading.Event()

    def take() -> None:
        for item in mailbox:
            taken.append(item)
            there.set()

    thread = threading.Thread(target=take)
    thread.start()
    mailbox.put(5)
    assert there.wait(60)
    mailbox.close()
    thread.join(60)
    assert taken == [5] and mailbox.dropped == 0 and not thread.is_alive()
