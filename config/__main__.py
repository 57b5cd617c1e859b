"""Write the page and the example of settings from the models: `python -m config`, in the project's folder."""

from pathlib import Path

from config.describe import settings_example, settings_page
from config.settings import Settings

if __name__ == "__main__":
    Path("docs/settings.md").write_text(settings_page(Settings), "utf-8")
    Path("config/odecet.example.toml").write_text(settings_example(Settings), "utf-8")
