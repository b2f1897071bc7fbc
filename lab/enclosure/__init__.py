"""The machine inside the machine: namespaces, the private engine, the nodes' image."""

from lab.enclosure.enclosure import Enclosure, EnclosureError, NameTakenError, Process, is_alive
from lab.enclosure.image import TAG, ImageError, cache_folder, ensure_image, image_key, made_once

__all__ = [
    "TAG",
    "Enclosure",
    "EnclosureError",
    "ImageError",
    "NameTakenError",
    "Process",
    "cache_folder",
    "ensure_image",
    "image_key",
    "is_alive",
    "made_once",
]
