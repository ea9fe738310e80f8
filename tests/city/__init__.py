"""A city from open data: real files, and dirty ones made by hand."""
