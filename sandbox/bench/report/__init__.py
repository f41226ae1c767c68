"""Reports: tables, plots and pages that are made from the kept figures."""
