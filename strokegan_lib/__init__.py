"""Generative adversarial networks on brain-stroke images: a teaching kit.

Rooms, left to right, and an import never points right:
``data`` -> ``models`` + ``losses`` -> ``training`` -> ``evaluation`` -> ``classroom``.
"""

__version__ = "0.1.0"
