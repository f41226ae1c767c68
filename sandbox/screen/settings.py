"""What a person chose for their window, kept from one start to the next in a small file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import msgspec
from platformdirs import user_data_path

from agents.io.atomic_files import write_whole

FILE = "window.json"


@dataclass(frozen=True)
class Settings:
    """time_waits: by task id, whether time stands still in Drive while no key is down."""

    time_waits: dict[str, bool] = field(default_factory=dict)


class SettingsFile:
    """The settings of one person on one machine. `error` says what went wrong with the file."""

    def __init__(self, path: Path | None = None) -> None:
        """path: default beside the person's sessions."""
        self.path = path or user_data_path("teachbox", appauthor=False) / FILE
        self.error = ""
        self.settings = self._read()

    def _read(self) -> Settings:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Settings)
        except FileNotFoundError:
            return Settings()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reason = str(error).replace("`", "")
            self.error = f"{self.path} can't be read ({reason}); the window starts with its own settings."
            return Settings()

    def time_waits(self, task: str, default: bool) -> bool:
        """Whether time waits for the person's keys in this task."""
        return self.settings.time_waits.get(task, default)

    def set_time_waits(self, task: str, waits: bool) -> None:
        """Choose for a task, and keep it for the next time."""
        self.settings = replace(self.settings, time_waits={**self.settings.time_waits, task: waits})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, json.dumps(asdict(self.settings), indent=2) + "\n")
            self.error = ""
        except OSError as error:
            self.error = (
                f"{self.path} can't be written ({error.strerror}): this choice lasts until you close."
            )
