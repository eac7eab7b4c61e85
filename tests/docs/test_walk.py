"""The walk over a page does what it says, and finds what is not as the page says."""

import os
from pathlib import Path
from select import select

import pytest

from tests.docs.walk import Walked, blocks, walk

PAGE = """# A page

```sh
word=tide
python -c 'import sys; print(sys.argv[1])' 8000 > port
sleep 60 &
echo $! > sleeper
```

```toml settings.toml
name = "quay"
```

- in a list:
  ```sh
  cat settings.toml
  echo "$word at $(cat port)"
  date
  ```

  ```text
  name = "quay"
  tide at 8000
  …
  ```

```sh by-hand
systemctl reboot
```

```sh exit 3
exit_with() { return 3; }
exit_with
```
"""


def walked(tmp_path: Path, text: str) -> Walked:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    return walk(page, tmp_path / "folder")


def test_all_shell_blocks_are_run_in_order_in_one_shell(tmp_path: Path) -> None:
    assert walked(tmp_path, PAGE) == Walked(3)
    assert (tmp_path / "folder/port").read_text().strip() not in ("", "8000")


def test_nothing_is_left_running(tmp_path: Path) -> None:
    assert walked(tmp_path, PAGE) == Walked(3)
    sleeper = int((tmp_path / "folder/sleeper").read_text())
    try:
        ended, _, _ = select([os.pidfd_open(sleeper)], [], [], 10)
    except ProcessLookupError:
        return
    assert ended


def test_a_block_knows_where_it_stands() -> None:
    assert [(block.line, block.is_run) for block in blocks(PAGE)][:4] == [
        (3, True),
        (10, False),
        (15, True),
        (21, False),
    ]


@pytest.mark.parametrize(
    ("text", "line", "run"),
    [
        ("```sh\ntrue\n```\n\n```sh\nfalse\ntrue\n```\n", 5, 2),
        ("```sh\nfalse | cat\n```\n\n```sh\ntrue\n```\n", 1, 1),
        ("```sh\necho $nobody\n```\n", 1, 1),
        ("```sh exit 3\ntrue\n```\n", 1, 1),
        ("```sh\necho a\necho b\n```\n\n```text\na\n```\n", 6, 1),
        ("```sh\ntrue\n```\n\n```text\na …\n```\n", 5, 1),
    ],
)
def test_what_is_not_as_the_page_says_is_found(text: str, line: int, run: int, tmp_path: Path) -> None:
    found = walked(tmp_path, text)
    assert found.run == run
    assert found.fault.startswith(f"{tmp_path / 'page.md'}:{line}: ")
