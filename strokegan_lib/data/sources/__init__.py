"""The public data sets that the kit can prepare, a module each: layout, quirks, licence, citation."""
