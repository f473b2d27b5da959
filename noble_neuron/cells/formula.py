"""Arithmetic read from a file, evaluated without `eval`."""

from __future__ import annotations

import ast
import math
import operator
from typing import Any

from ..errors import InputError

_BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNARY = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_FUNCTIONS = ("exp", "log", "sqrt", "tanh", "sin", "cos")


class Formula:
    """A formula such as '(-0.8696 + 2.087*math.exp({distance}*0.0031))*{value}'.

    Numbers, names in braces or bare, + - * / **, brackets, and `math.exp` and its like; that
    is what published distributions of conductance over distance are made of.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        bare = text.replace("{", "(").replace("}", ")")
        try:
            self._tree = ast.parse(bare.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            raise InputError(f"Not a formula: {text!r}") from None
        self.names = frozenset(self._names(self._tree))

    def __call__(self, **values: float) -> float:
        """Value of the formula with its names replaced by `values`."""
        missing = self.names - set(values)
        if missing:
            raise InputError(f"The formula {self.text!r} needs {', '.join(sorted(missing))}.")
        try:
            result = float(self._value(self._tree, values))
        except (ArithmeticError, TypeError, ValueError) as error:
            raise InputError(f"The formula {self.text!r} fails at {values}: {error}") from None
        if not math.isfinite(result):
            raise InputError(f"The formula {self.text!r} is not finite at {values}.")
        return result

    def _names(self, node: ast.AST) -> list[str]:
        """Names used, refusing whatever is not arithmetic."""
        match node:
            case ast.Constant(value=int() | float()):
                return []
            case ast.Name(id=name):
                return [name]
            case ast.UnaryOp(op=op, operand=inner) if type(op) in _UNARY:
                return self._names(inner)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return self._names(left) + self._names(right)
            case ast.Call(args=[inner], keywords=[]) if self._function(node):
                return self._names(inner)
        raise InputError(
            f"The formula {self.text!r} holds {ast.unparse(node)!r}; only numbers, names, "
            f"+ - * / ** and {', '.join('math.' + f for f in _FUNCTIONS)} are read."
        )

    @staticmethod
    def _function(call: ast.Call) -> str | None:
        match call.func:
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name in _FUNCTIONS:
                return name
            case ast.Name(id=name) if name in _FUNCTIONS:
                return name
        return None

    def _value(self, node: ast.AST, values: dict[str, float]) -> Any:
        match node:
            case ast.Constant(value=number):
                return number
            case ast.Name(id=name):
                return values[name]
            case ast.UnaryOp(op=op, operand=inner):
                return _UNARY[type(op)](self._value(inner, values))
            case ast.BinOp(left=left, op=op, right=right):
                return _BINARY[type(op)](self._value(left, values), self._value(right, values))
            case ast.Call(args=[inner]):
                return getattr(math, self._function(node))(self._value(inner, values))
        raise AssertionError(node)
