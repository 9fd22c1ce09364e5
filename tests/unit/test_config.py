"""Where settings come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from memp.config import find_settings
from memp.errors import InvalidInputError


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    """Upwards from a folder the first file with settings is taken whole, and nothing above it is looked at."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "memp.toml").write_text('actor = "far"\nmask = false\n', encoding="utf-8")
    (tmp_path / "a" / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    found = find_settings(deep)
    assert found is not None
    assert (found.path, dict(found.values)) == (tmp_path / "memp.toml", {"actor": "far", "mask": False})
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.memp]\nactor = "near"\n', encoding="utf-8")
    found = find_settings(deep)
    assert found is not None
    assert str(found) == f"{tmp_path / 'a' / 'pyproject.toml'} [tool.memp]"
    assert dict(found.values) == {"actor": "near"}
    (tmp_path / "a" / "memp.toml").write_text("", encoding="utf-8")
    found = find_settings(deep)
    assert found is not None
    assert (found.path.name, dict(found.values)) == ("memp.toml", {})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("actr = 'x'", "Did you mean 'actor'"),
        ("base-url = 'x'", "Did you mean 'base_url'"),
        ("zzz = 1", "settings are scope, actor"),
        ("api_key = 'x'", "OPENAI_API_KEY"),
        ("mask = 'yes'", "true or false"),
        ("actor = 3", "a text"),
        ("actor = ", "must be TOML"),
    ],
)
def test_what_is_no_setting_is_refused(tmp_path: Path, content: str, words: str) -> None:
    """An unknown name, a value of another kind, a key, and what is no TOML are errors that name the file."""
    path = tmp_path / "memp.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=words) as caught:
        find_settings(tmp_path)
    assert str(path) in str(caught.value)


def test_a_table_must_be_a_table(tmp_path: Path) -> None:
    """``tool.memp`` that holds something else is an error."""
    (tmp_path / "pyproject.toml").write_text("[tool]\nmemp = 3\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="table of settings"):
        find_settings(tmp_path)
