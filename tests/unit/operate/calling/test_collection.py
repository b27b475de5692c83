"""Named requests in files that live well in git."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.operate.calling.collection import Collection, Saved, WrongNameError, wrong_name
from broker.operate.calling.request import Request

ORDER = Request(
    "call",
    "v2.orders.get",
    "prod",
    node_id="shop-2",
    params='{"id":4711,"fields":["status","lines"]}',
    meta='{"user": {"id": 5}, "token": {{secret:token}}}',
    timeout_ms=3000,
    retries=1,
)
MAIL = Request("emit", "mail.requeue", "prod", params='{"all": true}', groups=("mail", "reports"))


def test_a_file_is_small_stable_and_readable(tmp_path: Path):
    Collection(tmp_path).save("on-call/order by id", ORDER)
    assert (
        (tmp_path / "on-call" / "order by id.json").read_text("utf-8")
        == """{
  "meshscope_request": 1,
  "action": "v2.orders.get",
  "namespace": "prod",
  "node_id": "shop-2",
  "timeout_ms": 3000,
  "retries": 1,
  "params": {
    "id": 4711,
    "fields": [
      "status",
      "lines"
    ]
  },
  "meta_text": [
    "{\\"user\\": {\\"id\\": 5}, \\"token\\": {{secret:token}}}"
  ]
}
"""
    )


def test_what_is_saved_comes_back_and_is_written_the_same_again(tmp_path: Path):
    collection = Collection(tmp_path)
    for request in (ORDER, MAIL):
        collection.save("one", request, replaces=True)
        first = (tmp_path / "one.json").read_bytes()
        loaded = collection.load("one").request
        assert loaded is not None
        collection.save("one", loaded, replaces=True)
        assert (tmp_path / "one.json").read_bytes() == first
    assert loaded == MAIL.with_texts(lambda text: text and '{\n  "all": true\n}')


def test_secrets_are_masked_in_files_and_that_is_told(tmp_path: Path):
    collection = Collection(tmp_path)
    assert collection.save("login", Request("call", "users.login", params='{"password": "hunter2"}'))
    assert not collection.save("order", ORDER)
    assert "hunter2" not in (tmp_path / "login.json").read_text("utf-8")


def test_folders_are_groups_and_broken_files_are_shown_as_such(tmp_path: Path):
    collection = Collection(tmp_path)
    collection.save("on-call/order by id", ORDER)
    collection.save("requeue mail", MAIL)
    (tmp_path / "on-call" / "broken.json").write_text("{")
    (tmp_path / "on-call" / "other.json").write_text('{"a": 1}')
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config.json").write_text("{}")
    assert [(one.name, one.request is not None) for one in collection.saved()] == [
        ("requeue mail", True),
        ("on-call/broken", False),
        ("on-call/order by id", True),
        ("on-call/other", False),
    ]
    broken = collection.saved()[1]
    assert broken == Saved(
        "on-call/broken",
        None,
        "broken.json: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    )
    assert collection.saved()[3].wrong == "other.json: it has no field meshscope_request, so it is no request of ours"
    assert collection.groups() == ["on-call"]


def test_rename_moves_between_groups_and_leaves_no_empty_folder(tmp_path: Path):
    collection = Collection(tmp_path)
    collection.save("a/b/one", ORDER)
    collection.rename("a/b/one", "two")
    assert [one.name for one in collection.saved()] == ["two"]
    assert not (tmp_path / "a").exists()
    collection.rename("two", "Two")
    assert [one.name for one in collection.saved()] == ["Two"]
    collection.delete("Two")
    assert collection.saved() == []
    assert tmp_path.exists()


def test_nothing_is_replaced_unless_it_shall_be(tmp_path: Path):
    collection = Collection(tmp_path)
    collection.save("one", ORDER)
    with pytest.raises(WrongNameError, match="'ONE' is taken"):
        collection.save("ONE", MAIL)
    collection.save("two", MAIL)
    with pytest.raises(WrongNameError, match="'one' is taken"):
        collection.rename("two", "one")
    collection.save("one", MAIL, replaces=True)
    assert collection.load("one").request == collection.load("two").request


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "../up",
        "a/../b",
        "/etc/x",
        "a//b",
        "a/ b",
        "nul",
        "COM1.x",
        ".hidden",
        "x.",
        "a\\b",
        "a:b",
        "a\nb",
        "x" * 121,
    ],
)
def test_names_that_are_no_files_everywhere_are_refused(name: str, tmp_path: Path):
    assert wrong_name(name)
    with pytest.raises(WrongNameError):
        Collection(tmp_path).save(name, ORDER)


def test_requests_of_others_are_taken_in_beside_those_of_the_same_name(tmp_path: Path):
    theirs, ours = Collection(tmp_path / "theirs"), Collection(tmp_path / "ours")
    theirs.save("order", ORDER)
    ours.save("theirs/order", MAIL)
    (tmp_path / "theirs" / "notes.json").write_text("{}")
    wrong = ours.take_in([tmp_path / "theirs"])
    assert wrong == ["notes.json: it has no field meshscope_request, so it is no request of ours"]
    assert [one.name for one in ours.saved()] == ["theirs/order", "theirs/order 2"]
    assert ours.take_in([tmp_path / "theirs" / "order.json"]) == []
    assert next(one.name for one in ours.saved()) == "order"


def test_without_a_folder_nothing_is_saved():
    with pytest.raises(WrongNameError, match="no folder"):
        Collection(None).save("x", ORDER)
    assert Collection(None).saved() == []
