"""When does the shop open? Right in every zone and on both nights of clock change."""

from datetime import datetime

from hanse.kernel.time import hours_of, next_open, zone


def main() -> None:
    helsinki = zone("Europe/Helsinki")
    weekdays, saturday = [[8 * 60, 21 * 60]], [[18 * 60, 27 * 60 + 30]]  # a bar: until half past three on Sunday
    hours = hours_of([weekdays, weekdays, weekdays, weekdays, weekdays, saturday, []])

    for moment in (
        "2026-06-03T12:00+03:00",  # a Wednesday noon: open
        "2026-06-03T22:00+03:00",  # the evening: tomorrow
        "2026-10-25T03:15+02:00",  # the bar, in the second half past three o'clock hour of the autumn night: still open
        "2026-03-29T04:05+03:00",  # the bar, in spring, when half past three never came: closed till Monday
    ):
        opens = next_open(hours, datetime.fromisoformat(moment), helsinki)
        print(moment, "→", opens.astimezone(helsinki).isoformat(timespec="minutes") if opens else "never")


if __name__ == "__main__":
    main()
