"""
Which packages there are, and where the three data folders lie.

Everything else stands in ``pyproject.toml``. Packages are found here because the table there knows two ways only: find
them all, which misses the mapped folders, or list them all, which misses the package that somebody adds tomorrow.
Procedures, templates and migrations lie at the top of the repository, where people look for them, and are installed
inside the package; the empty ``__init__.py`` in each makes an editable installation find them too.
"""

from setuptools import find_packages, setup

DATA_FOLDERS = {
    "procedures": ["**/*.py", "**/*.json", "**/*.md"],
    "templates": ["**/*.j2", "**/*.md"],
    "migrations": ["*.sql"],
}

setup(
    packages=[*find_packages(include=["memp", "memp.*"]), *(f"memp.{name}" for name in DATA_FOLDERS)],
    package_dir={f"memp.{name}": name for name in DATA_FOLDERS},
    package_data={"memp": ["py.typed"], **{f"memp.{name}": patterns for name, patterns in DATA_FOLDERS.items()}},
)
