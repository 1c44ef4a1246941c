"""What the code cells of a notebook define and need, read from their code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from symtable import SymbolTable, symtable

import nbformat
from nbformat import NotebookNode


@cache
def code_cells(file: Path) -> list[NotebookNode]:
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]


def statements(source: str) -> list[ast.stmt]:
    """The statements of a cell; lines of magics are passed over."""
    return ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", source, flags=re.M)).body


@cache
def needs_and_gives(source: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Global names that a cell needs from others, that it sets, and that it changes in place."""
    needs, gives, changes = set(), set(), set()
    for statement in statements(source):
        table = symtable(ast.unparse(statement), "cell", "exec")
        read = {s.get_name() for t in scopes(table) for s in t.get_symbols()
                if s.is_referenced() and (t is table or s.is_global())}  # fmt: skip
        own = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
        if not isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            read -= own  # such as the variable of a loop
        needs |= read - gives
        gives |= own
        for node in ast.walk(statement):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
                changes.add(ast.unparse(node).split(".")[0].split("[")[0])
        if isinstance(statement, ast.Expr):  # such as found.append(1)
            changes.add(re.split(r"\W", ast.unparse(statement))[0])
    return frozenset(needs), frozenset(gives), frozenset(changes)


def scopes(table: SymbolTable) -> Iterator[SymbolTable]:
    yield table
    for child in table.get_children():
        yield from scopes(child)


def needed(cells: list[NotebookNode], source: str) -> list[NotebookNode]:
    """Those of *cells* that *source*, which comes after them, rests on."""
    found, names = [], set(needs_and_gives(source)[0])
    modules = {name for cell in cells for s in statements(cell.source) if isinstance(s, (ast.Import, ast.ImportFrom))
               for name in needs_and_gives(ast.unparse(s))[1]}  # fmt: skip
    for cell in reversed(cells):
        needs, gives, changes = needs_and_gives(cell.source)
        if (gives | changes - modules) & names:
            found.append(cell)
            names = (names - gives) | needs
    return found[::-1]
