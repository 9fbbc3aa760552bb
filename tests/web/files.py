"""Files as tests hand them to the page: small pictures, and drops from outside the browser."""

from __future__ import annotations

import base64
import io

from PIL import Image
from playwright.sync_api import JSHandle, Locator, Page


def png(colour: str = "#f00", size: tuple[int, int] = (1, 1)) -> bytes:
    """A picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def carried(page: Page, name: str, media_type: str, content: bytes) -> JSHandle:
    """What the pointer carries while a file is dragged over the page."""
    return page.evaluate_handle(
        """([name, type, base64]) => {
            const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type }));
            return transfer;
        }""",
        [name, media_type, base64.b64encode(content).decode()],
    )


def drop(where: Locator, name: str, media_type: str, content: bytes) -> None:
    """Drag a file of this machine over something, and let it go there."""
    data = carried(where.page, name, media_type, content)
    where.dispatch_event("dragover", {"dataTransfer": data})
    where.dispatch_event("drop", {"dataTransfer": data})
