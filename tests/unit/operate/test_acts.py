from broker.operate.acts import tell
from broker.operate.commands import Call
from broker.operate.masks import Masks


def test_what_a_form_wrote_over_many_lines_is_told_in_one() -> None:
    params = '{\n  "id": 1,\n  "text": "two\\nlines"\n}'
    assert tell(Call("prod", "a.b", params), Masks()).details == 'params { "id": 1, "text": "two\\nlines" }'
