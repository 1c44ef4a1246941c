"""What `make site` is made of: pages from documents, notebooks and docstrings, and the check of their links."""
