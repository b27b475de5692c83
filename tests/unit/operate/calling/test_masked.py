"""What looks secret does not reach a file, and is to be filled in when it comes back."""

from __future__ import annotations

import json

from broker.capture.masking import Masking
from broker.operate.calling.captured import BLANKED, NOT_KEPT, STREAMED, template_of
from broker.operate.calling.masked import MASKED, mask_text, masked_places
from broker.operate.calling.request import Problem, Request, problems
from broker.operate.calling.variables import Values
from broker.operate.masks import Masks

REQ = {
    "ver": "5",
    "sender": "shop-1",
    "id": "1",
    "action": "users.login",
    "params": {"name": "eve", "password": "hunter2", "pin code": 1, "cvv": 123, "text": "Dear {{name}}"},
    "meta": {"user": {"id": 5, "accessToken": "abcdef"}, "$repl": True},
    "headers": {"authorization": "Bearer 1"},
    "timeout": 3000,
    "level": 1,
}


def test_values_of_secret_names_are_masked_and_variables_are_not():
    text = '{"user": {"id": 5}, "password": "hunter2", "token": {{secret:token}}, "apiKey": "{{key}}", "pwd": null}'
    assert mask_text(text) == (
        '{\n  "user": {\n    "id": 5\n  },\n  "password": "•••• masked",\n  "token": {{secret:token}},\n'
        '  "apiKey": "{{key}}",\n  "pwd": null\n}'
    )


def test_a_text_without_secrets_stays_to_the_letter():
    assert mask_text('{ "id":1 }') == '{ "id":1 }'


def test_all_below_a_secret_name_is_masked():
    assert json.loads(mask_text('{"secrets": {"a": ["x", 1, true]}}')) == {"secrets": {"a": [MASKED, MASKED, True]}}


def test_what_is_no_json_is_masked_whole_when_it_might_hold_one():
    assert mask_text('{"password": "hunter2"') == f'"{MASKED}"'
    assert mask_text('{"id": ') == '{"id": '


def test_names_that_the_user_adds_are_masked_too():
    assert json.loads(mask_text('{"iban": "DE00"}', Masks(("iban",)))) == {"iban": MASKED}


def test_masked_values_are_problems_until_they_are_filled_in():
    request = Request("call", "users.login", "prod", params='{"users": [{"password": "•••• masked"}]}')
    assert problems(request, Values()) == [
        Problem(
            "params",
            "Parameters: users[0].password is masked here; give its value, or a secret variable",
        )
    ]
    assert masked_places('{"users": [{"password": "x"}]}') == []


def test_a_captured_call_becomes_a_template_that_says_what_was_masked():
    body = Masking().masked(b"MOL-prod.REQ.users-1", json.dumps(REQ).encode())
    template = template_of("prod", "users.login", body)
    assert (template.request.name, template.request.namespace, template.request.timeout_ms) == (
        "users.login",
        "prod",
        3000.0,
    )
    assert json.loads(template.request.params) == {
        "name": "eve",
        "password": MASKED,
        "pin code": 1,
        "cvv": MASKED,
        "text": "Dear {{{{name}}}}",
    }
    assert json.loads(template.request.meta) == {"user": {"id": 5, "accessToken": MASKED}}
    assert json.loads(template.request.headers) == {"authorization": MASKED}
    assert template.notes == (
        "Values that looked secret were masked in the capture: fill them in, or use secret variables.",
    )
    assert "hunter2" not in template.request.params


def test_of_a_capture_of_headers_only_the_rest_is_to_be_filled_in():
    body = Masking("headers").masked(b"MOL.REQ.users-1", json.dumps(REQ).encode())
    template = template_of("", "users.login", body)
    assert BLANKED in template.notes or MASKED in template.request.params or template.request.params == ""
    assert "hunter2" not in template.request.params


def test_a_call_without_its_body_gives_its_name():
    assert template_of("prod", "a.b", None) == (Request("call", "a.b", "prod"), (NOT_KEPT,))


def test_a_stream_is_said_to_be_missing():
    body = json.dumps({"id": "1", "action": "files.put", "params": None, "meta": {}, "stream": True}).encode()
    template = template_of("", "files.put", body)
    assert template == (Request("call", "files.put"), (STREAMED,))


def test_a_body_that_cannot_be_read_says_why():
    template = template_of("", "a.b", b"\xff\xff")
    assert template.notes[0].startswith("What this call carried cannot be read: ")


def test_tokens_keys_and_urls_with_passwords_are_masked_whatever_they_stand_under():
    text = '{"a": "Bearer abcdefgh", "b": ["redis://u:hunter2@h"], "c": "Bearer {{secret:token}}", "d": "known-one"}'
    assert json.loads(mask_text(text, Masks((), ("known-one",)))) == {
        "a": MASKED,
        "b": [MASKED],
        "c": "Bearer {{secret:token}}",
        "d": MASKED,
    }
