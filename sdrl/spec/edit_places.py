"""Where a value stands in the text of a spec, and the splice that changes it there.

A block table's end mark runs over the comments that follow it, so ends are those of the last scalar inside; a block
text's end runs over the blank lines below it. Each method returns the splice and the tree that the text must then hold
(``raw``); whether it does is for the caller to check.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence as SequenceOf
from dataclasses import replace
from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edit_splice import Raw, Splice, Step, at, raw
from sdrl.spec.edit_writing import Layout, Written, block, entry, indented, list_item, write, write_key
from sdrl.spec.nodes import Mapping, Node, Scalar, Sequence, parse
from sdrl.spec.shapes import Shape
from sdrl.spec.source import check_text

OVER_LINES = ("task", "models")
"""Tables that grow key by key: each key on its own line from the first."""


class Document:
    """The text of a spec with its nodes. ``problems`` is empty unless ``checked`` is off."""

    def __init__(self, text: str, *, checked: bool = True) -> None:
        self.text = text
        source = check_text(text, "")
        parsed = parse(text) if source.text is not None else None
        found = [source.problem] if source.problem is not None else parsed.problems if parsed is not None else []
        self.problems = [item for item in found if item.code != "E112"]
        self.root = parsed.root if parsed is not None else None
        if self.root is not None and not isinstance(self.root, Mapping):
            raise SdrlError("E201", "a spec is a table of keys", help="begin with: sdrl: 1")
        if checked and self.problems:
            first = self.problems[0]
            raise SdrlError(first.code, f"line {first.line}: {first.message}", help=first.help, diagnostics=found)
        self._layout = self._read_layout()

    def without_block_texts(self) -> None:
        """Write texts on one line from now on."""
        self._layout = replace(self._layout, block_texts=False)

    def _read_layout(self) -> Layout:
        """Line ending and indentation as most of the document has them."""
        newline = "\r\n" if self.text.count("\r\n") * 2 > self.text.count("\n") else "\n"
        step = dash = 0
        todo: list[Node] = [self.root] if self.root is not None else []
        while todo and not (step and dash):
            node = todo.pop(0)
            for key, value in node.items if isinstance(node, Mapping) else ():
                by = value.mark.column - key.mark.column
                if self._is_block(value) and value.mark.line > key.mark.line:
                    if isinstance(value, Mapping):
                        step = step or by
                    else:
                        dash = dash or by or -1
                todo.append(value)
            todo += node.items if isinstance(node, Sequence) else []
        return Layout(newline, step or 2, max(dash, 0) if dash else step or 2)

    def replaced(self, path: SequenceOf[Step], value: Any, shape: Shape) -> tuple[Splice, Raw]:
        """Another value in the place of the one that is written."""
        old, key, flow = self._find(path)
        after = self._indicator(path)
        column = self._column_of(after)
        like = self.text[old.mark.index : old.mark.index + 1]
        written = write(value, shape, self._layout, flow=flow, column=column, like=like)
        is_list = written.inline is None and not written.header and not hasattr(value, "keys")
        lines: list[str] = []
        if written.inline is None:
            indent = key.mark.column + (self._layout.dash if is_list else self._layout.step) if key is not None else 0
            if key is None:
                indent = self._find(path[:-1])[0].mark.column + 2
            if self._is_block(old) and not written.header and is_list == isinstance(old, Sequence):
                indent = old.mark.column
            lines = indented(written.lines, indent)
        return self._exchange(old, after, written, lines), self._wanted(path, written)

    def _exchange(self, old: Node, after: int, written: Written, lines: list[str]) -> Splice:
        """The splice that puts what was written where ``old`` stands; ``after`` is the place after its ':' or '-'."""
        text, newline = self.text, self._layout.newline
        start, end = old.mark.index, self._end(old)
        first = text.rfind("\n", 0, start) + 1
        below_key = self._is_block(old) and first > after
        body = newline.join(lines)
        head = f" {written.header}" if written.header else ""
        if self._is_block_text(old):
            comment = self._comment_in(start, min(self._line_end(start), end))
            return Splice(
                after, end, (f" {written.inline}" if written.inline else head) + comment + newline * bool(body) + body
            )
        if written.inline is not None and below_key:
            kept = text[after:first].rstrip("\r\n")  # the comment beside the key, and those above the first line
            line_end = self._line_end(end)
            return Splice(after, end if text[end:line_end].strip() else line_end, f" {written.inline}{kept}")
        if written.inline is not None:
            gap = " " if start == after and text[after - 1 : after] in (":", "-") else ""
            return Splice(start, end, gap + written.inline)
        if below_key:
            beside, _, above = text[after:first].partition("\n")
            return Splice(after, end, f"{head}{beside}\n{'' if head else above}{body}")
        if self._is_block(old):
            return Splice(after, end, head + newline + body)
        line_end = self._line_end(end)
        return Splice(after, line_end, head + text[end:line_end].rstrip() + newline + body)

    def added(self, path: SequenceOf[Step], value: Any, shape: Shape, order: list[str]) -> tuple[Splice, Raw]:
        """A key that is not written yet, at its place in ``order``; at the end where that says nothing."""
        name = str(path[-1])
        holder, _, flow = self._find(path[:-1])
        if holder is None or not isinstance(holder, Mapping) or not holder.items:
            return self._first_key(path, holder, value, shape)
        flow = flow or not self._is_block(holder)
        before = self._before(holder, name, order)
        if flow:
            written = write(value, shape, self._layout, flow=True, column=0)
            text = f"{write_key(name, flow=True)}: {written.inline}"
            if before is None:
                at, text = holder.items[0][0].mark.index, text + ", "
            else:
                at, text = self._end(before), ", " + text
            return Splice(at, at, text), self._wanted(path, written)
        column = holder.items[0][0].mark.column
        if len(path) == 1 and name in OVER_LINES and isinstance(value, MappingOf):
            lines = [f"{name}:", *indented(list(block(value, shape, self._layout, column)), self._layout.step)]
        else:
            lines = entry(name, value, shape, self._layout, column)
        written = Written(None, lines=tuple(lines))
        spaced = len(path) == 1 and len(lines) > 1
        wanted = self._wanted(path, written, is_entry=True)
        if before is None:
            first = holder.items[0][0].mark.index
            body = (self._layout.newline + " " * column).join(lines) + self._layout.newline + " " * column
            return Splice(first, first, body), wanted
        return self._below(self._end(before), indented(lines, column), spaced=spaced), wanted

    def _below(self, end: int, lines: list[str], *, spaced: bool = False) -> Splice:
        """Lines after the line in which something ends."""
        newline = self._layout.newline
        at_start = end > 0 and self.text[end - 1] == "\n"
        at = end if at_start else self._line_end(end)
        gap = newline if spaced else ""
        if at_start:
            return Splice(at, at, gap + newline.join(lines) + newline)
        return Splice(at, at, newline + gap + newline.join(lines))

    def _first_key(self, path: SequenceOf[Step], holder: Node | None, value: Any, shape: Shape) -> tuple[Splice, Raw]:
        """A key of a table that has none: an empty document, or ``{}``."""
        name = str(path[-1])
        if holder is None:
            lines = entry(name, value, shape, self._layout, 0)
            text = self.text
            gap = "" if not text or text.endswith("\n") else self._layout.newline
            splice = Splice(len(text), len(text), gap + self._layout.newline.join(lines) + self._layout.newline)
            return splice, self._wanted(path, Written(None, lines=tuple(lines)), is_entry=True)
        if len(path) == 1:
            inline = write(value, shape, self._layout, flow=True, column=0)
            new = f"{{{write_key(name, flow=True)}: {inline.inline}}}"
            return Splice(holder.mark.index, holder.mark.end_index, new), self._wanted(path, inline)
        return self.replaced(path[:-1], {name: value}, Shape(values=shape))

    def _before(self, holder: Mapping, name: str, order: list[str]) -> Node | None:
        """The value after which a key belongs; None: before all others."""
        if name not in order:
            return holder.items[-1][1]
        place = order.index(name)
        earlier = [value for key, value in holder.items if key.text in order and order.index(key.text) < place]
        if earlier:
            return earlier[-1]
        return None if any(key.text in order for key, _ in holder.items) else holder.items[-1][1]

    def inserted(self, path: SequenceOf[Step], value: Any, shape: Shape) -> tuple[Splice, Raw]:
        """An item of a list that has some already."""
        holder, _, flow = self._find(path[:-1])
        assert isinstance(holder, Sequence) and isinstance(path[-1], int)  # the caller looked
        index = path[-1]
        if flow or not self._is_block(holder):
            written = write(value, shape, self._layout, flow=True, column=0)
            if index < len(holder.items):
                at = holder.items[index].mark.index
                splice = Splice(at, at, f"{written.inline}, ")
            else:
                at = self._end(holder.items[-1])
                splice = Splice(at, at, f", {written.inline}")
            return splice, self._wanted(path, written, insert=True)
        column = holder.mark.column
        lines = list_item(value, shape, self._layout, column)
        wanted = self._wanted(path, Written(None, lines=tuple(lines)), insert=True, is_item=True)
        if index == 0:
            at = holder.mark.index
            joint = self._layout.newline + " " * column
            return Splice(at, at, joint.join(lines) + joint), wanted
        return self._below(self._end(holder.items[index - 1]), indented(lines, column)), wanted

    def removed(self, path: SequenceOf[Step]) -> tuple[Splice, Raw]:
        """Without a key or an item; the last one leaves ``{}`` or ``[]``."""
        holder, _, flow = self._find(path[:-1])
        assert isinstance(holder, Mapping | Sequence)  # the caller looked
        wanted = copy.deepcopy(raw(self.root))
        del at(wanted, path[:-1])[path[-1]]
        spans = self._spans(path[:-1], holder)
        names: list[Step] = [key.text for key, _ in holder.items] if isinstance(holder, Mapping) else []
        index = names.index(path[-1]) if names else int(path[-1])
        if len(spans) == 1:
            return self._emptied(path[:-1], holder), wanted
        start, end = spans[index]
        if flow or not self._is_block(holder):
            if index + 1 < len(spans):
                between = self.text[end : spans[index + 1][0]]
                return Splice(
                    start, spans[index + 1][0] if "#" not in between else end + between.index(",") + 1, ""
                ), wanted
            between = self.text[spans[index - 1][1] : start]
            return Splice(spans[index - 1][1] if "#" not in between else start, end, ""), wanted
        line = self.text.rfind("\n", 0, start) + 1
        if not self.text[line:start].strip():
            return Splice(line, self._past_line(end), ""), wanted
        following = spans[index + 1][0]  # the first of a table inside a list: what follows moves up beside the dash
        between = self.text[self._past_line(end) : following]
        if between.strip():
            return Splice(line + len(self.text[line:start].rstrip()), self._line_end(end), ""), wanted
        return Splice(start, following, ""), wanted

    def _emptied(self, path: SequenceOf[Step], holder: Mapping | Sequence) -> Splice:
        empty = "{}" if isinstance(holder, Mapping) else "[]"
        if not self._is_block(holder):
            return Splice(holder.mark.index, holder.mark.end_index, empty)
        if not path:
            return Splice(holder.mark.index, self._line_end(self._end(holder)), empty)
        splice = self._exchange(holder, self._indicator(path), Written(empty), [])
        end = self._end(holder)
        return replace(splice, end=max(splice.end, self._line_end(end)))

    def moved(self, path: SequenceOf[Step], to: int) -> tuple[Splice, Raw]:
        """An item at another index: what stands between the items stays where it is."""
        holder, _, _ = self._find(path[:-1])
        assert isinstance(holder, Sequence) and isinstance(path[-1], int)  # the caller looked
        wanted = copy.deepcopy(raw(self.root))
        items = at(wanted, path[:-1])
        items.insert(to, items.pop(path[-1]))
        spans = self._spans(path[:-1], holder)
        if self._is_block(holder):
            spans = [(start, self._line_end(end) if self.text[end - 1 : end] != "\n" else end) for start, end in spans]
        pieces = [self.text[start:end] for start, end in spans]
        pieces.insert(to, pieces.pop(path[-1]))
        low, high = sorted((path[-1], to))
        new = ""
        for index in range(low, high + 1):
            gap = self.text[spans[index - 1][1] : spans[index][0]] if index > low else ""
            new += gap + pieces[index]
        return Splice(spans[low][0], spans[high][1], new), wanted

    def _spans(self, path: SequenceOf[Step], holder: Mapping | Sequence) -> list[tuple[int, int]]:
        """Start and end of each entry of a table (from its key) or of a list (from its dash)."""
        if isinstance(holder, Mapping):
            return [(key.mark.index, self._end(value)) for key, value in holder.items]
        if not self._is_block(holder):
            return [(item.mark.index, self._end(item)) for item in holder.items]
        dashes = [self._dash((*path, index)) for index in range(len(holder.items))]
        return [(dash, max(self._end(item), dash + 1)) for dash, item in zip(dashes, holder.items, strict=True)]

    def _find(self, path: SequenceOf[Step]) -> tuple[Any, Scalar | None, bool]:
        """The node at a path, its key if it has one, and whether it stands inside brackets."""
        node: Any = self.root
        key: Scalar | None = None
        flow = False
        for step in path:
            flow = flow or not self._is_block(node)
            if isinstance(node, Mapping):
                key, node = next((name, value) for name, value in node.items if name.text == step)
            else:
                key, node = None, node.items[step]
        return node, key, flow

    def _is_block(self, node: Node | None) -> bool:
        """Whether a table or list is written over lines, not in brackets."""
        if node is None or isinstance(node, Scalar):
            return False
        return self.text[node.mark.index : node.mark.index + 1] != ("{" if isinstance(node, Mapping) else "[")

    def _is_block_text(self, node: Node) -> bool:
        return isinstance(node, Scalar) and not node.plain and self.text[node.mark.index] in "|>"

    def _end(self, node: Node) -> int:
        """Where a value ends: comments and blank lines below it are not part of it."""
        while isinstance(node, Mapping | Sequence) and self._is_block(node):
            node = node.items[-1][1] if isinstance(node, Mapping) else node.items[-1]
        if not self._is_block_text(node):
            return node.mark.end_index
        whole = self.text[node.mark.index : node.mark.end_index]
        if "+" in whole.split("\n", 1)[0].split("#")[0]:
            return node.mark.end_index
        return node.mark.index + len(whole.rstrip())

    def _indicator(self, path: SequenceOf[Step]) -> int:
        """The place right after the ':' or '-' that a value belongs to."""
        _, key, flow = self._find(path)
        if key is not None:
            return self.text.index(":", key.mark.end_index) + 1
        if flow:
            node, _, _ = self._find(path)
            return int(node.mark.index)
        return self._dash(path) + 1

    def _dash(self, path: SequenceOf[Step]) -> int:
        """The dash of an item of a block list."""
        holder, _, _ = self._find(path[:-1])
        index, column = int(path[-1]), int(holder.mark.column)
        if index == 0:
            return int(holder.mark.index)
        at = self._past_line(self._end(holder.items[index - 1]))
        while at < len(self.text):
            if not self.text[at : at + column].strip(" ") and self.text[at + column : at + column + 1] == "-":
                return at + column
            at = self._next(at)
        raise SdrlError("E114", "a list item without a dash of its own line", help="change it by hand")

    def _column_of(self, index: int) -> int:
        return index - (self.text.rfind("\n", 0, index) + 1)

    def _line_end(self, index: int) -> int:
        """End of the line, before its line ending."""
        found = self.text.find("\n", index)
        end = len(self.text) if found < 0 else found
        return end - 1 if end > index and self.text[end - 1] == "\r" else end

    def _past_line(self, index: int) -> int:
        """Start of the next line, for the end of a value; a block text that keeps its last lines ends there already."""
        return index if self.text[index - 1 : index] == "\n" else self._next(index)

    def _next(self, index: int) -> int:
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1

    def _comment_in(self, start: int, end: int) -> str:
        """The comment beside a block text's header, with the blanks before it."""
        header = self.text[start:end]
        return header[header.index(" ") :].rstrip() if "#" in header and " " in header else ""

    def _wanted(
        self,
        path: SequenceOf[Step],
        written: Written,
        *,
        insert: bool = False,
        is_entry: bool = False,
        is_item: bool = False,
    ) -> Raw:
        """The tree of the document with what was written at a path."""
        tree = copy.deepcopy(raw(self.root)) or {}
        if written.inline is not None:
            value = raw(parse(f"k: {written.inline}\n").root)["k"]
        elif is_entry:
            value = raw(parse("\n".join(written.lines) + "\n").root)[str(path[-1])]
        elif is_item:
            value = raw(parse("\n".join(written.lines) + "\n").root)[0]
        else:
            header = [f"k: {written.header}"] if written.header else ["k:"]
            value = raw(parse("\n".join([*header, *indented(written.lines, 2)]) + "\n").root)["k"]
        holder = at(tree, path[:-1])
        if insert:
            holder.insert(path[-1], value)
        else:
            holder[path[-1]] = value
        return tree
