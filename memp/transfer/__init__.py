"""
A store as one text file, and the way back.

A copy of the database would be quicker to make and would tie the data to DuckDB and to the tables of today. The text
has every record with all that its digest covers, so whoever reads it can check the chain with nothing but SHA-256.
"""

from memp.transfer.lines import FORMAT
from memp.transfer.reading import ImportReport, import_store
from memp.transfer.writing import ExportReport, export_log

__all__ = ["FORMAT", "ExportReport", "ImportReport", "export_log", "import_store"]
