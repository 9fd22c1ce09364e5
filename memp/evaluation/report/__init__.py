"""
Reports of an evaluation: one HTML file that needs nothing else. On a terminal ``Result.table`` says the same.

What a report says is worked out once (``content``), drawn (``plots``) and put into a page (``page``). A page that loads
a library for plots was not taken: a report is kept for years and read where there is no network.
"""

from memp.evaluation.report.page import check_report, page_text, write_report

__all__ = ["check_report", "page_text", "write_report"]
