"""Where settings come from: a command's option, else an environment variable, else a TOML file, else the default.

It knows no setting by name: whatever struct it is given says what there is, and the string below a field
explains it. So a new setting is one field, and is read, checked, shown and described with no other line.
"""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from textwrap import dedent, wrap
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, get_type_hints

import msgspec

from hanse.kernel.errors import HanseError, InvalidInput

__all__ = ["CONFIG", "FILE_NAME", "Configuration", "Secret", "example", "explained", "gather", "is_secret"]

PREFIX = "HANSE_"
CONFIG = "HANSE_CONFIG"
FILE_NAME = "hanse.toml"
_FROM_FILE = "_file"
_OTHERS = frozenset((CONFIG, "HANSE_DATA", "HANSE_COMPILED", "HANSE_TOKEN"))
"""No settings: where the file lies; where tests find real data; where compiled twins lie (see `hanse.compiled`);
the token that commands show to a running district."""

Secret = Annotated[str, msgspec.Meta(extra={"secret": True})]
"""A setting that nobody shall read over a shoulder: hidden where settings are shown, and taken also from a file
that `<setting>_file` names, so that it needs to stand in no configuration and in no environment."""

S = TypeVar("S", bound=msgspec.Struct)


class Configuration(NamedTuple, Generic[S]):
    """Settings, and for each of them where it was said; `default` where nobody said anything."""

    settings: S
    origins: dict[str, str]


class _Said(NamedTuple):
    value: object
    origin: str


def gather(struct: type[S], environment: Mapping[str, str], chosen: Mapping[str, object]) -> Configuration[S]:
    """Put the settings of a struct together.

    Parameters
    ----------
    struct
        What there is to be set, each field with its default.
    environment
        Variables; those that begin with `HANSE_` are settings, and `HANSE_CONFIG` names the file. Without it
        the file is `hanse.toml` in the `folder` that was set, if there is one.
    chosen
        Options of the command that was called; None stands for one that was not given.

    Raises
    ------
    InvalidInput
        The file is not there or is no TOML; a name that is no setting; a value that does not fit. Says where.
    """
    wanted = get_type_hints(struct, include_extras=True)
    said = {name: _Said(value, f"--{name.replace('_', '-')}") for name, value in chosen.items() if value is not None}
    said = dict(_resolved(wanted, _variables(environment))) | said
    file = _file(environment, said, struct)
    if file is not None:
        said = dict(_resolved(wanted, _written(file, wanted))) | said
    values = {name: _fitting(name, one, wanted[name]) for name, one in said.items()}
    origins = {name: said[name].origin if name in said else "default" for name in wanted}
    return Configuration(struct(**values), origins)


def is_secret(wanted: object) -> bool:
    """Whether a field's type is `Secret`."""
    return any(
        isinstance(mark, msgspec.Meta) and (mark.extra or {}).get("secret")
        for mark in getattr(wanted, "__metadata__", ())
    )


def explained(struct: type) -> dict[str, str]:
    """The string literals that stand directly below annotated fields, by field."""
    body = ast.parse(dedent(inspect.getsource(struct))).body[0]
    assert isinstance(body, ast.ClassDef)
    said = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                said[name] = inspect.cleandoc(text)
            case _:
                pass
    return said


def example(struct: type[msgspec.Struct]) -> str:
    """A file with every setting, explained and commented out."""
    wanted, said = get_type_hints(struct, include_extras=True), explained(struct)
    lines = [f"# Settings of Hanse. Take the # away before what you set; put it into {FILE_NAME} in the data folder,"]
    lines += [f"# or anywhere and name it with --config or {CONFIG}. Paths count from this file's folder."]
    for field in msgspec.structs.fields(struct):
        lines += ["", *wrap(said.get(field.name, ""), 110, initial_indent="# ", subsequent_indent="# ")]
        if is_secret(wanted[field.name]):
            lines.append(f'# {field.name}{_FROM_FILE} = "/run/secrets/{field.name}"')
        lines.append(f"# {field.name} = {_toml(field.default)}")
    return "\n".join([*lines, ""])


def _variables(environment: Mapping[str, str]) -> Iterator[tuple[str, _Said]]:
    for name, value in environment.items():
        if name.startswith(PREFIX) and name not in _OTHERS:
            yield name[len(PREFIX) :].lower(), _Said(value, name)


def _file(environment: Mapping[str, str], said: Mapping[str, _Said], struct: type[msgspec.Struct]) -> Path | None:
    named = environment.get(CONFIG)
    if named:
        return Path(named)
    default = next((field.default for field in msgspec.structs.fields(struct) if field.name == "folder"), None)
    folder = said["folder"].value if "folder" in said else default
    beside = Path(str(folder)) / FILE_NAME
    return beside if folder is not None and beside.is_file() else None


def _written(file: Path, wanted: Mapping[str, Any]) -> Iterator[tuple[str, _Said]]:
    text = _read(file)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(
            "app.bad_config", f"{file} is no TOML: {error}. `hanse config --example` shows how it looks."
        ) from error
    for name, value in found.items():
        at = re.search(rf"^\s*\[?\s*[\"']?{re.escape(name)}\b", text, re.MULTILINE)
        line = text.count("\n", 0, at.end()) + 1 if at else 1
        if isinstance(value, str) and (wanted.get(name) is Path or name.endswith(_FROM_FILE)):
            value = str(file.parent / value)
        yield name, _Said(value, f"{file}:{line}")


def _resolved(wanted: Mapping[str, Any], said: Iterator[tuple[str, _Said]]) -> Iterator[tuple[str, _Said]]:
    """What was said under names that there are; a secret from its file."""
    found = dict(said)
    for name, one in found.items():
        of = name.removesuffix(_FROM_FILE)
        if name in wanted:
            yield name, one
        elif not (of in wanted and is_secret(wanted[of])):
            near = get_close_matches(name, wanted, n=1)
            meant = f"; did you mean {near[0]}?" if near else "; see `hanse config`."
            raise InvalidInput("app.unknown_setting", f"{one.origin}: there is no setting {name}{meant}", field=name)
        elif of not in found and one.value:
            yield of, _Said(_read(Path(str(one.value))).strip(), f"{one.origin} ({one.value})")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidInput("app.bad_config", f"Can't read the file {path}: {why}.", field=str(path)) from error


def _fitting(name: str, said: _Said, wanted: object) -> object:
    """The value as its field wants it; text from the environment may stand for a number, or hold JSON."""
    value, is_text = said.value, said.origin.startswith(PREFIX)
    try:
        if is_text and isinstance(value, str) and value[:1] in ("[", "{"):
            value = msgspec.json.decode(value)
        return msgspec.convert(value, wanted, strict=not is_text, dec_hook=_made)
    except (msgspec.ValidationError, msgspec.DecodeError, HanseError, ValueError, TypeError) as error:
        raise InvalidInput("app.bad_setting", f"{said.origin}: {name} does not fit: {error}.", field=name) from error


def _made(wanted: type, value: object) -> object:
    return value if isinstance(value, wanted) else wanted(value)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:_}" if isinstance(value, int) and value > 99_999 else str(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return msgspec.json.encode(str(value)).decode()
