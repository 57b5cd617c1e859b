"""Acts done by several threads at once."""

import threading
from collections.abc import Callable


def at_once(*acts: Callable[[], object]) -> None:
    """Run all acts in threads that begin together; raise what any of them raised."""
    gate, raised = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        except BaseException as err:  # noqa: BLE001 - told below
            raised.append(err)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
