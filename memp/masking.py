"""
What must not be kept or sent is replaced before it is: keys, tokens, passwords, e-mail addresses and card numbers.

Runs are recorded wherever agents work, so they hold whatever passed through a terminal or a tool. The log never forgets
and a model's endpoint belongs to somebody else, so the one good moment is before either sees it. A secret is known here
by its form or by the word before it, never by looking random: ids, digests and file names look random too, and an agent
that cannot read them back cannot work. A library was not taken; ``docs/explanation/choices.md`` says which and why.

Thousands of runs hold nothing of the kind, so a check of the run's bytes as a whole comes first: it may only err by
suspecting too much.
"""

from __future__ import annotations

import re
from typing import Any, Final

import attrs
import msgspec

from memp.model import Step, Trajectory

E_MAIL: Final = "[masked e-mail]"
"""Stands for an address."""

KEY: Final = "[masked key]"
"""Stands for a key, a token or another secret."""

PASSWORD: Final = "[masked password]"
"""Stands for a password."""

CARD: Final = "[masked card number]"
"""Stands for the number of a payment card."""

_LONG_WORD = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{16}")
"""Sixteen or more letters and digits in a row, both there: what every key but those with hints of their own has."""

_FORMS = re.compile(
    r"""
    (?<![A-Za-z0-9_])(?:
        (?: sk- | gsk_ | xai- | pplx- | nvapi- | tvly- | r8_ | glpat- | dop_v1_ | shpat_ | GOCSPX- | key-
          | [rsp]k_(?:live|test)_                                           # Stripe
          | gh[pousr]_ | github_pat_ | hf_ | npm_ | pypi- | ya29\. | SG\.
          | xox[a-z]- | xapp- )[A-Za-z0-9_.-]*[A-Za-z0-9_-]
      | (?:AKIA|ASIA)[A-Z0-9]{16} | AGE-SECRET-KEY-1[A-Z0-9]{20,}
      | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?        # JSON web tokens
    )
    | (?<=hooks\.slack\.com/services/)[A-Za-z0-9/]+
    """,
    re.VERBOSE,
)

_GOOGLE_OR_TELEGRAM = re.compile(r"(?<![A-Za-z0-9_])(?:AIza[A-Za-z0-9_-]{30,}|[0-9]{8,10}:AA[A-Za-z0-9_-]{33})")

# One that was cut short is masked to the end: what is left of it is still most of a key.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.*?-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|.*\Z)",
    re.DOTALL,
)

_AUTHORISATION = re.compile(r"(?i)\b((?:bearer|basic|token)\s+)([a-z0-9._~+/-]{16,}=*)")

_IN_ADDRESS = re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"'\[]+(?=@)")

_NAMED = re.compile(
    r"""(?ix)
    (?<![a-z0-9])
    (?: (?P<password> passw(?:or)?d | passphrase )
      | (?: (?:client|app|shared)[ _-]?)?secret
      | (?: api | access | secret | private | account | encryption)[ _-]?key
      | (?: (?:access|auth|refresh|session|id|bearer|api)[ _-]?)?token )
    (?: [ _-]?(?:key|id|value))? \\?["']? \s{0,4} [:=]>? \s{0,4} \\?["']?
    (?P<value> [^\s"'\\,;&<>{}()\[\]|`]+ )
    """
)

VALUE_LENGTH_MIN: Final = 8
"""Characters from which the value behind a word like "token" is taken for one; a shorter one is a count or a code."""

PASSWORD_LENGTH_MIN: Final = 4
"""Characters from which what stands behind "password" is taken for one."""

# ``git@host:path`` is an address of a repository, ``icon@2x.png`` a picture, ``name@1.2.3-rc.one`` a package.
_E_MAIL = re.compile(
    r"(?<![\w.+%-])(?!git@[\w.-]+:)[\w.+%-]+@(?![0-9]x\.)(?!v?[0-9]+\.[0-9])"
    r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}(?![\w@])"
)

_CARD = re.compile(
    r"(?<![0-9A-Za-z+])(?<![0-9][.-])"
    r"(?:[0-9]{13,19}|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?![0-9A-Za-z])(?![.-][0-9])"
)

# First digits and lengths that issuers use: Visa, Mastercard, American Express, Discover, Diners Club, JCB, UnionPay.
# Times in milliseconds and microseconds begin with 1, so no clock reading is taken for a card.
_ISSUED = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2(?:2[2-9]|[3-6][0-9]|7[01])[0-9]{13}|3[47][0-9]{13}"
    r"|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12,15}|3(?:0[0-5]|[689][0-9])[0-9]{11}|35[0-9]{14,17}|62[0-9]{14,17}"
)

# The check that comes first looks at the bytes of a whole run as JSON, for things of which one is in whatever the
# expressions above find. Each costs, so they are few; each that is there is looked at once more.
_NAMES: Final = (b"key", b"token", b"secret", b"pass")
_BEHIND_A_NAME = re.compile(rb"[a-z _-]{0,16}(?:\\[nrt]|[\\\"' ]){0,10}[:=]|-----| block-----")
_SIXTEEN: Final = b"a" * 16
_ALIKE = bytes(ord("a") if byte < 128 and chr(byte).isalnum() else ord(" ") for byte in range(256))
_THIRTEEN: Final = b"0" * 13
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)
_CARD_IN_BYTES = re.compile(
    # The digit comes first and the look back second, because the search then skips to digits by itself.
    rb"[0-9](?<![0-9][0-9])(?<![0-9]\.[0-9])[0-9]{3}(?:[0-9]{9,15}|[0-9 -]{9,18}[0-9])(?![0-9])"
)

_encode = msgspec.json.Encoder().encode


def mask(text: str) -> str:
    """
    Return *text* with all that looks like a key, token, password, e-mail address or card number replaced.

    What is replaced reads ``[masked e-mail]`` and so on. Masking what was masked changes nothing.
    """
    if not _suspicious(text.encode("utf-8", "surrogatepass")):
        return text
    # What was hidden by its neighbour may show once that is gone. Every round takes away more of what was written.
    while (masked := _masked_once(text)) != text:
        text = masked
    return text


def mask_data(value: Any) -> Any:
    """
    Return *value* with every text in it masked; the same object where nothing was.

    Args:
        value: What JSON can hold: texts, numbers, lists or tuples, and dicts, whose keys are masked too. A number that
            is a card number becomes the text that stands for one.
    """
    match value:
        case str():
            return mask(value)
        case bool() | float() | None:
            return value
        case int():
            return CARD if _is_card(str(value)) else value
        case dict():
            items = [(mask_data(key), mask_data(one)) for key, one in value.items()]
            same = all(new[0] is old[0] and new[1] is old[1] for new, old in zip(items, value.items(), strict=True))
            return value if same else _apart(items)
        case list() | tuple():
            found = [mask_data(one) for one in value]
            same = all(new is old for new, old in zip(found, value, strict=True))
            return value if same else type(value)(found)
        case _:
            return value


def mask_run(run: Trajectory) -> Trajectory:
    """Return *run* with every text in it masked; the same object where nothing was."""
    if not _may_hold_secrets(run):
        return run
    fields = _changed(run, steps=tuple(_mask_step(step) for step in run.steps))
    return attrs.evolve(run, **fields) if fields else run


def _mask_step(step: Step) -> Step:
    if not _may_hold_secrets(step):
        return step
    fields = _changed(step)
    return attrs.evolve(step, **fields) if fields else step


def _may_hold_secrets(value: Step | Trajectory) -> bool:
    try:
        return _suspicious(_encode(value))
    except UnicodeEncodeError:
        return True  # a lone surrogate has no bytes in JSON


def _changed(value: Step | Trajectory, **known: Any) -> dict[str, Any]:
    """Return the fields of *value* that masking changes, with what they become; *known* are worked out already."""
    found = {}
    for field in attrs.fields(type(value)):
        old = getattr(value, field.name)
        new = known[field.name] if field.name in known else mask_data(old)
        if new is not old and new != old:
            found[field.name] = new
    return found


def _apart(items: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return a dict of *items* in which none is lost because masking made two keys the same."""
    found: dict[Any, Any] = {}
    for key, value in items:
        name, number = key, 2
        while name in found:
            name, number = f"{key} {number}", number + 1
        found[name] = value
    return found


def _suspicious(data: bytes) -> bool:
    """Return whether *data* may hold something to mask: false only if it holds nothing."""
    if b"@" in data or b"AIza" in data or b":AA" in data or _has_long_word(data):
        return True
    if _THIRTEEN in data.translate(_DIGITS_ALIKE, b" -") and _CARD_IN_BYTES.search(data):
        return True
    lower = data.lower()
    for name in _NAMES:
        start = lower.find(name)
        while start >= 0:
            if _BEHIND_A_NAME.match(lower, start + len(name)):
                return True
            start = lower.find(name, start + len(name))
    return False


def _has_long_word(data: bytes) -> bool:
    alike = data.translate(_ALIKE)
    start = alike.find(_SIXTEEN)
    while start >= 0:
        end = alike.find(b" ", start)
        word = data[start : end if end >= 0 else len(data)]
        if not word.isalpha() and not word.isdigit():
            return True
        start = alike.find(_SIXTEEN, start + len(word))
    return False


def _masked_once(text: str) -> str:
    text = _PRIVATE_KEY.sub(KEY, text)
    text = _FORMS.sub(lambda found: KEY if _LONG_WORD.search(found[0]) else found[0], text)
    text = _GOOGLE_OR_TELEGRAM.sub(KEY, text)
    text = _AUTHORISATION.sub(lambda found: found[1] + KEY if _LONG_WORD.search(found[2]) else found[0], text)
    text = _IN_ADDRESS.sub(rf"\1{PASSWORD}", text)
    text = _NAMED.sub(_mask_named, text)
    text = _E_MAIL.sub(E_MAIL, text)
    return _CARD.sub(lambda found: CARD if _is_card(found[0]) else found[0], text)


def _mask_named(found: re.Match[str]) -> str:
    """Replace the value of an assignment, if it is one: not a word, a reference to a variable, or stars."""
    value = found["value"]
    if value[0] in "$%*":
        return found[0]
    if found["password"]:
        is_secret = len(value) >= PASSWORD_LENGTH_MIN and not value.rstrip(".!?:").isalpha()
    else:
        has_letter, has_digit = any(map(str.isalpha, value)), any(map(str.isdigit, value))
        is_secret = len(value) >= VALUE_LENGTH_MIN and has_letter and has_digit
    return found[0][: -len(value)] + (PASSWORD if found["password"] else KEY) if is_secret else found[0]


def _is_card(text: str) -> bool:
    """
    Return whether the digits of *text* are the number of a payment card: issued so, and its check digit fits.

    Source: ISO/IEC 7812-1, annex B (the Luhn formula).
    """
    digits = text.replace(" ", "").replace("-", "")
    if _ISSUED.fullmatch(digits) is None:
        return False
    odd = sum(map(int, digits[-1::-2]))
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (odd + even) % 10 == 0
