"""What is masked, what is left alone, and that nothing else of a run changes. All secrets here are made up."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.masking import CARD, E_MAIL, KEY, PASSWORD, mask, mask_data, mask_run
from memp.model import Step, Trajectory, canonical_bytes

# Forms that scanners of repositories look for are put together here, so that they do not take this file for a leak.
LETTERS = "aB3dE5gH7jK9mN1pQ2rS4tU6"
HIDDEN = {
    # e-mail addresses
    "write to ada.lovelace+notes@example.com.": f"write to {E_MAIL}.",
    "<müller@büro.example>": f"<{E_MAIL}>",
    '{"email": "a_b@mail.example.org"}': f'{{"email": "{E_MAIL}"}}',
    "mailto:x@sub.domain.museum?subject=hi": f"mailto:{E_MAIL}?subject=hi",
    # keys and tokens by their form
    f"export OPENAI_API_KEY=sk-{LETTERS}": f"export OPENAI_API_KEY={KEY}",
    f"the key is sk-proj-{LETTERS}_x-{LETTERS}": f"the key is {KEY}",
    f"sk-ant-api03-{LETTERS}-AA": KEY,
    "sk-test-1234567890abcdef": KEY,
    f"push with gh{'p'}_{LETTERS}{LETTERS[:12]}": f"push with {KEY}",
    f"github_{'pat'}_11{LETTERS}_{LETTERS}": KEY,
    f"glpat-{LETTERS}": KEY,
    f"xox{'b'}-123456789012-{LETTERS}": KEY,
    f"AKI{'A'}IOSFODNN7EXAMPLE": KEY,
    f"AIz{'a'}SyA-{LETTERS}_{LETTERS[:8]}": KEY,
    f"sk_{'live'}_{LETTERS}": KEY,
    f"hf_{LETTERS}": KEY,
    f"npm_{LETTERS}{LETTERS[:12]}": KEY,
    f"1234567890:AA{LETTERS}{LETTERS[:9]}": KEY,
    f"SG.{LETTERS}.{LETTERS}": KEY,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWhlcmU": KEY,
    f"https://hooks.slack.com/services/T000/B000/{LETTERS}": f"https://hooks.slack.com/services/{KEY}",
    f"Authorization: Bearer {LETTERS}": f"Authorization: Bearer {KEY}",
    "authorization: basic dXNlcjpwYXNzd29yZDEyMw==": f"authorization: basic {KEY}",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----\nok": f"{KEY}\nok",
    "-----BEGIN PRIVATE KEY-----\nMIIEow and nothing more": KEY,
    # secrets by the word before them
    "api_key: 'f00d1234beef'": f"api_key: '{KEY}'",
    '{"client_secret": "abcd1234efgh", "n": 1}': f'{{"client_secret": "{KEY}", "n": 1}}',
    'say {\\"access_token\\": \\"abcd1234\\"}': f'say {{\\"access_token\\": \\"{KEY}\\"}}',
    "SESSION_TOKEN=0a1b2c3d4e": f"SESSION_TOKEN={KEY}",
    "password=hunter2": f"password={PASSWORD}",
    "Password: Tr0ub4dor&3": f"Password: {PASSWORD}&3",
    "postgres://app:s3cret@db.example:5432/x": f"postgres://app:{PASSWORD}@db.example:5432/x",
    # card numbers
    "pay with 4111 1111 1111 1111 please": f"pay with {CARD} please",
    "5500-0000-0000-0004": CARD,
    "card=378282246310005;": f"card={CARD};",
    "3782 822463 10005": CARD,
    "6011111111111117, 30569309025904, 3530111333300000": f"{CARD}, {CARD}, {CARD}",
    "credit_card_4111111111111111": f"credit_card_{CARD}",
}

LEFT_ALONE = (
    "put mug 1 in cabinet 12, then open drawer 3",
    "You see a keychain 2, a creditcard 1 and a toiletpaperhanger 1.",
    "the key: take it to the desk-1",
    "use the token 3 on the machine; max_token=4096; tokens: 1234567890",
    "The secret: always look in the fridge first.",
    "password: required",
    "Password: $DB_PASSWORD or ${DB_PASSWORD} or ********",
    "basic understanding of the bearer of bad news",
    "a task-specific risk-free desk-bound sk-learn pipeline",
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b of sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c",
    "PWD=/home/agent1 and passage: 1234abcd",
    "id 550e8400-e29b-41d4-a716-446655440000, run 01890a5d-ac96-774b-bcce-b302099a8057",
    "git clone git@host.example:team/project.git",
    "<img src='icon@2x.png'> needs left-pad@1.3.0-rc.one and thing@v2.1.beta",
    "@decorator, user@host, a@b, mention @somebody.else",
    "score 0.8333333333333333 at 4.111111111111111 of -6.4285714285714284",
    "recorded_at 1732201391000 and 1732201391000123; order 1234567890123456",
    "4111 1111 1111 1112 fails its check digit; 9111111111111111 is issued by nobody",
    "phone +49 1511 2345678 and +4111111111111111; ISBN 978-3-16-148410-0",
    "reservation HATHAT, flight HAT136, credit_card_4421486, gift_card_7252718",
    "[masked e-mail] [masked key] [masked password] [masked card number]",
    "api_key=[masked key] password=[masked password] Bearer [masked key]",
    "",
)


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_is_masked_and_nothing_around_it(text: str) -> None:
    """Each kind of secret is replaced by what it was, and the words around it stay."""
    assert mask(text) == HIDDEN[text]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    """Names of objects, ids, digests, versions, times, counts and references to secrets stay as they are."""
    assert mask(text) is text


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_is_found_wherever_it_stands_in_a_run(text: str) -> None:
    """A run is masked in its task, its steps and all that its source said besides, at any depth."""
    run = Trajectory(
        task=f"do it: {text}",
        steps=(
            Step(action=f"say {text}", observation=f"so\n{text}", thought=text, extra={"args": [{"value": text}]}),
            Step(action="look", observation="nothing"),
        ),
        reward=0.5,
        success=True,
        initial_observation=text,
        extra={"nested": {"deep": [1, text, None]}},
    )
    hidden = HIDDEN[text]
    masked = mask_run(run)
    assert masked.task == f"do it: {hidden}"
    assert masked.steps[0] == Step(
        action=f"say {hidden}", observation=f"so\n{hidden}", thought=hidden, extra={"args": [{"value": hidden}]}
    )
    assert masked.initial_observation == hidden
    assert masked.extra == {"nested": {"deep": [1, hidden, None]}}
    assert masked.steps[1] is run.steps[1]
    assert (masked.reward, masked.success) == (0.5, True)
    assert mask_run(masked) is masked


def test_a_run_without_secrets_is_the_same_object() -> None:
    """A run that holds nothing to mask is not even copied."""
    steps = tuple(Step(action=text or "look", observation=text, extra={"n": 7}) for text in LEFT_ALONE)
    run = Trajectory(task="leave alone", steps=steps, extra={"when": 1732201391000123})
    assert mask_run(run) is run


def test_numbers_and_names_of_fields_are_masked_too() -> None:
    """A card number that is a number becomes a text, and keys that become the same are kept apart."""
    found = mask_data({"card": 4111111111111111, "a@mail.example": 1, "b@mail.example": 2, "ok": [True, 4111, 0.5]})
    assert found == {"card": CARD, E_MAIL: 1, f"{E_MAIL} 2": 2, "ok": [True, 4111, 0.5]}


def test_a_lone_surrogate_does_not_hide_a_secret() -> None:
    """A text that has no bytes in JSON is masked like any other."""
    run = Trajectory(task="write", steps=(Step(action="say \ud800 to a@mail.example"),))
    assert mask_run(run).steps[0].action == f"say \ud800 to {E_MAIL}"


SIGNS = (*"@:.-_= \n\"'[]/", "4111", "1111", "sk-", "token", "password", "Bearer ", LETTERS)
PIECES = st.lists(st.sampled_from([*HIDDEN, *LEFT_ALONE, *SIGNS]) | st.text(max_size=6), max_size=8).map("".join)


@given(PIECES)
def test_masking_twice_is_masking_once(text: str) -> None:
    """What was masked stays as it is, whatever it was put together from."""
    once = mask(text)
    assert mask(once) == once


@given(PIECES)
def test_the_check_of_a_whole_run_misses_nothing(text: str) -> None:
    """A run is masked as its texts are one by one: looking at all of its bytes at once hides nothing."""
    try:
        json.dumps(text).encode()
        canonical_bytes(text)
    except UnicodeEncodeError:
        return
    run = Trajectory(task="t", steps=(Step(action=text),))
    assert mask_run(run) == attrs.evolve(run, steps=(Step(action=mask(text)),))
