"""Workbooks as the tests need them, written from the public descriptions of their formats.

ECMA-376 part 1 (SpreadsheetML) and OpenDocument 1.3 part 3.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
TYPES = (
    f'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET_TYPE}"/></Types>'
)
RELS = f'<?xml version="1.0"?><Relationships xmlns="{PACKAGE}/relationships">{{}}</Relationships>'
STYLES = (
    f'<?xml version="1.0"?><styleSheet xmlns="{MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy/mm/dd hh:mm"/></numFmts><cellXfs count="2"><xf numFmtId="0"/>'
    '<xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"


class Dated(float):
    """A number that the sheet shows as a date."""


class Formula(str):
    """A formula; the value that the sheet stored for it is 36.6."""


def xlsx(
    sheets: Mapping[str, Sequence[Sequence[object]]], *, date1904: bool = False, more: Mapping[str, bytes] | None = None
) -> bytes:
    names = list(sheets)
    relation = '<Relationship Id="rId{}" Type="' + OFFICE + '/{}" Target="{}"/>'
    parts = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELS.format(relation.format(1, "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        f'<workbookPr date1904="{int(date1904)}"/><sheets>'
        + "".join(f'<sheet name="{escape(n)}" sheetId="{k}" r:id="rId{k}"/>' for k, n in enumerate(names, 1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": RELS.format(
            "".join(relation.format(k, "worksheet", f"worksheets/sheet{k}.xml") for k in range(1, len(names) + 1))
            + relation.format(len(names) + 1, "styles", "styles.xml")
        ),
        "xl/styles.xml": STYLES,
        **{f"xl/worksheets/sheet{k}.xml": _sheet(rows) for k, rows in enumerate(sheets.values(), 1)},
        **(more or {}),
    }  # fmt: skip
    return _zipped(parts)


def _sheet(rows: Sequence[Sequence[object]]) -> str:
    lines = []
    for r, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{chr(64 + c)}{r}", value) for c, value in enumerate(row, 1) if value is not None)
        lines.append(f'<row r="{r}">{cells}</row>')
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _cell(place: str, value: object) -> str:
    if isinstance(value, Formula):
        return f'<c r="{place}"><f>{escape(value)}</f><v>36.6</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    style = ' s="1"' if isinstance(value, Dated) else ""
    return f'<c r="{place}"{style}><v>{float(value)!r}</v></c>'


def ods(rows: Sequence[Sequence[str]]) -> bytes:
    """Write text cells; text such as 2024-05-01T08:30:00 is written as a date."""
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    body = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="a">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    manifest = f'<?xml version="1.0"?><manifest:manifest xmlns:manifest="{MANIFEST}"/>'
    return _zipped(
        {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content,
         "META-INF/manifest.xml": manifest},
        stored=True,
    )  # fmt: skip


def _ods_cell(value: str) -> str:
    if value[:2] == "20" and "T" in value:
        said, shown = f'"date" office:date-value="{value}"', "x"
    else:
        said, shown = '"string"', escape(value)
    return f"<table:table-cell office:value-type={said}><text:p>{shown}</text:p></table:table-cell>"


def _zipped(parts: Mapping[str, str | bytes], *, stored: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()
