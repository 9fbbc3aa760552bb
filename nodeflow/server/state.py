"""State: what the handlers of one server share, under one typed key of the application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from nodeflow.journal.journal import Journal
from nodeflow.server.access import Access
from nodeflow.server.catalog import NodeCatalog
from nodeflow.server.data_lock import DataLock
from nodeflow.server.desk import Desk
from nodeflow.server.editor_settings import EditorSettings
from nodeflow.server.hub import Hub
from nodeflow.server.limits import Limits
from nodeflow.server.queue import Queue
from nodeflow.server.shelf import Shelf
from nodeflow.server.webhooks import Webhooks
from nodeflow.settings import Settings


@dataclass(frozen=True)
class State:
    """Everything a handler may need.

    Attributes:
        catalog: What the packs declare, without importing them.
        desk: Makes checked documents of what is handed in.
        hub: Sends events to whoever watches.
        shelf: The saved workflows.
        editor: What people set in the editor.
        access: Who may speak to this server.
        limits: How much one may ask for.
        webhooks: Tells others when a job is over.
        lock: Says where this server is reached.
    """

    settings: Settings
    journal: Journal
    catalog: NodeCatalog
    desk: Desk
    hub: Hub
    queue: Queue
    shelf: Shelf
    editor: EditorSettings
    access: Access
    limits: Limits
    webhooks: Webhooks
    lock: DataLock

    @property
    def outputs(self) -> Path:
        """Folder that jobs save in."""
        return self.settings.data / "outputs"


STATE = web.AppKey("state", State)
