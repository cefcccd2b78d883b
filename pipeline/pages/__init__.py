"""The site: one page for each agent and one that lists them, from artifacts alone; static and without any request."""

from pipeline.pages.site import site_files, write_site

__all__ = ["site_files", "write_site"]
