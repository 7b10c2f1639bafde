"""Static files under names that change with their content, which browsers may keep for ever."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class NamedByContent(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # has no types
    """What a script imports is named by its content too; else a new script could meet an old one, or none offline."""

    support_js_module_import_aggregation = True
