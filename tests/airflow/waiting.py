"""Waiting for a condition instead of sleeping."""

import time


def eventually(what, look, seconds=120, pause=0.25):
    """Looks until `look()` answers something true, and answers that. An error of `look` is a look in vain."""
    until = time.monotonic() + seconds
    while True:
        try:
            found, why = look(), None
        except (OSError, ValueError, LookupError) as error:
            found, why = None, error
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}" + (f": {why!r}" if why else ""))
        time.sleep(pause)
