"""The filter language: tokens to a tree, by recursive descent.

``either = both ("or" both)*``, ``both = one (["and"] one)*``, ``one = "not"* ("(" either ")" | comparison | word)``.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final, cast

from broker.mesh.filter_lexer import FilterError, Token, tokens
from broker.mesh.filter_terms import FIELDS, And, Compare, Expression, Not, Operator, Or, Word, checked

MAX_DEPTH: Final = 50


def parse_expression(text: str) -> Expression | None:
    """What a text says; None for an empty one. FilterError where it says nothing; never anything else."""
    parser = _Parser(tokens(text))
    if parser.next.kind == "end":
        return None
    expression = parser.either(0)
    left = parser.next
    if left.kind != "end":
        raise FilterError("this bracket closes nothing: expected 'and', 'or' or the end", left.start)
    return expression


class _Parser:
    """Reads tokens one after another."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self.next
        if token.kind != "end":
            self._at += 1
        return token

    def either(self, depth: int) -> Expression:
        parts = [self._both(depth)]
        while self.next.keyword == "or":
            self._take()
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Or(_flat(Or, parts))

    def _both(self, depth: int) -> Expression:
        parts = [self._one(depth)]
        while self.next.keyword == "and" or self._begins_one():
            if self.next.keyword == "and":
                self._take()
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else And(_flat(And, parts))

    def _begins_one(self) -> bool:
        return self.next.kind in {"word", "quoted", "("} and self.next.keyword != "or"

    def _one(self, depth: int) -> Expression:
        nots = 0
        while self.next.keyword == "not":
            token = self._take()
            nots += 1
            if depth + nots > MAX_DEPTH:
                raise FilterError(f"this is nested too deeply: expected at most {MAX_DEPTH} levels", token.start, 3)
        expression = self._term(depth + nots)
        for _ in range(nots):
            expression = Not(expression)
        return expression

    def _term(self, depth: int) -> Expression:
        token = self._take()
        if token.kind == "(":
            return self._bracket(token, depth)
        if token.kind == "operator":
            raise FilterError(
                f"expected a field before '{token.text}', for instance duration", token.start, token.end - token.start
            )
        if token.kind not in {"word", "quoted"} or token.keyword:
            raise FilterError(self._nothing_here(token), token.start, token.end - token.start)
        if self.next.kind == "operator":
            return self._compare(token)
        return Word(token.text)

    def _nothing_here(self, token: Token) -> str:
        before = self._tokens[self._tokens.index(token) - 1] if self._tokens.index(token) else None
        place = f"after '{before.text}'" if before else "here"
        return f"expected a comparison {place}, for instance outcome = failed"

    def _bracket(self, opening: Token, depth: int) -> Expression:
        if depth >= MAX_DEPTH:
            raise FilterError(f"this is nested too deeply: expected at most {MAX_DEPTH} levels", opening.start)
        expression = self.either(depth + 1)
        if self.next.kind != ")":
            raise FilterError("this bracket is not closed: expected a ')' behind it", opening.start)
        self._take()
        return expression

    def _compare(self, name: Token) -> Compare:
        field = name.text.lower()
        if field not in FIELDS:
            near = get_close_matches(field, FIELDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"expected {', '.join(FIELDS)}"
            raise FilterError(f"there is no field '{name.text}': {hint}", name.start, name.end - name.start)
        operator = self._take()
        value = self.next
        if value.kind not in {"word", "quoted"}:
            example = FIELDS[field].example
            raise FilterError(
                f"expected a value after '{operator.text}', for instance {example}",
                value.start,
                value.end - value.start,
            )
        self._take()
        return checked(Compare(field, cast("Operator", operator.text), value.text), operator, value)


def _flat(kind: type[And] | type[Or], parts: list[Expression]) -> tuple[Expression, ...]:
    """Parts of the same kind are taken apart, so that a filter has one form."""
    flat: list[Expression] = []
    for part in parts:
        if isinstance(part, And | Or) and type(part) is kind:
            flat.extend(part.parts)
        else:
            flat.append(part)
    return tuple(flat)
