"""Baselines: the same work by pyx12, and the least work there is, a bare split."""

import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyx12.map_if
import pyx12.map_walker
import pyx12.params
import pyx12.x12file

import edi

_ST_LOOP = "/ISA_LOOP/GS_LOOP/ST_LOOP"


@lru_cache
def _map(kind: str) -> Any:
    """Our map of a transaction set, as pyx12 loads it; kept."""
    folder = Path(edi.__file__).parent / "maps" / "004010"
    return pyx12.map_if.load_map_file(f"{kind}.xml", pyx12.params.ParamsBase(), map_path=str(folder))


def pyx12_errors(kind: str, data: bytes) -> int:
    """A file through pyx12's reader, walker and element checks with our map; how many errors it names."""
    root = _map(kind)
    reader = pyx12.x12file.X12Reader(io.StringIO(data.decode("latin-1")))
    walker = pyx12.map_walker.walk_tree()
    node: Any = None
    errors = 0
    for count, segment in enumerate(reader, 1):
        tag = segment.get_seg_id()
        if tag == "ST":
            walker.forceWalkCounterToLoopStart(_ST_LOOP, f"{_ST_LOOP}/ST")
            node = root.getnodebypath(f"{_ST_LOOP}/ST")
        elif tag in ("ISA", "GS", "GE", "IEA"):
            continue
        elif node is not None:
            found, _, _, walk_errors = walker.walk_errors(node, segment, count, count, None)
            errors += len(walk_errors)
            node = found or node
        errors += 1 if node is None else len(node.is_valid_errors(segment)[1])
    return errors + len(reader.pop_errors())


def bare_split(data: bytes) -> list[list[bytes]]:
    """Segments and elements and nothing else: no envelope, no grammar, no meaning."""
    return [segment.split(b"*") for segment in data.split(b"~")]
