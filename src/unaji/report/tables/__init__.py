"""The numbers behind the report as tables: one CSV file each, with every column's meaning beside them."""
